#include "agent/daemon/http_service.hpp"

#include "agent/daemon/control_schema.hpp"
#include "agent/daemon/open_metrics.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/line_client.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr int kHistoryShown = 20;

// What a daemon answers; null when it does not.
json ask(const std::string& socket, const json& request) {
  auto client = sys::LineClient::connect(socket);
  if (!client) return nullptr;
  const auto line = client->request(request.dump(), HttpService::kAnswerWithin);
  json answer = line ? json::parse(*line, nullptr, false) : json();
  return answer.is_object() && answer.value("ok", json(false)) == true ? answer : json();
}

}  // namespace

Result<std::unique_ptr<HttpService>> HttpService::start(const std::string& run_dir, Log log) {
  auto thread = sys::LoopThread::start("http");
  if (!thread) return fail(thread.error());
  std::unique_ptr<HttpService> service(new HttpService(run_dir, std::move(log)));
  service->thread_ = std::move(thread).value();
  return service;
}

HttpService::HttpService(std::string run_dir, Log log)
    : run_dir_(std::move(run_dir)), log_(std::move(log)) {}

HttpService::~HttpService() {
  thread_->post([this] {  // they belong to the thread's loop
    metrics_.server.reset();
    web_.server.reset();
  });
  thread_->end();
}

void HttpService::serve(const config::NodeFile& node) {
  thread_->post([this, node] { apply(node); });
}

std::vector<std::string> HttpService::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

void HttpService::listen(const std::string& what, Endpoint& endpoint, const std::string& at,
                         const sys::HttpServer::Handler& handler,
                         std::vector<std::string>& problems) {
  if (endpoint.server && endpoint.at == at) return;
  endpoint = {at, nullptr};
  const auto address = sys::parse_listen_address(at);
  if (!address) return;  // nothing is wanted
  auto server = sys::HttpServer::listen(thread_->loop(), *address, handler);
  if (server) {
    endpoint.server = std::move(server).value();
    return log_.notice("http-listening", "at " + at + " there is now: " + what, {{"listen", at}});
  }
  report(what + " cannot be served: " + server.error().message, problems);
}

void HttpService::apply(const config::NodeFile& node) {
  std::vector<std::string> problems;
  const std::string metrics_at = node.metrics ? node.metrics->listen : std::string();
  const std::string web_at =
      node.web && load_token(*node.web, problems) ? node.web->listen : std::string();
  // Before one is opened: it may take the other's place.
  if (metrics_.at != metrics_at) metrics_ = {};
  if (web_.at != web_at) web_ = {};
  listen(
      "metrics", metrics_, metrics_at,
      [this](const sys::HttpRequest& request) { return metrics(request); }, problems);
  listen(
      "the web page", web_, web_at,
      [this](const sys::HttpRequest& request) { return web(request); }, problems);
  const std::lock_guard lock(mutex_);
  problems_ = std::move(problems);
}

bool HttpService::load_token(const config::Web& web, std::vector<std::string>& problems) {
  token_ = WebToken();
  if (web.token_file.empty()) return true;
  auto token = WebToken::read(web.token_file);
  if (token)
    token_ = std::move(token).value();
  else
    report("the web page is not served: " + token.error().message, problems);
  return token.ok();
}

void HttpService::report(const std::string& problem, std::vector<std::string>& problems) {
  problems.push_back(problem + "; 'hotpair reload' tries again");
  log_.warning("http-failed", problems.back());
}

sys::HttpResponse HttpService::metrics(const sys::HttpRequest& request) {
  if (request.path != "/metrics") return sys::http_error(404, "what is here is at /metrics");
  sys::HttpResponse response;
  response.content_type = OpenMetrics::kContentType;
  response.body = metrics_text(look());
  return response;
}

sys::HttpResponse HttpService::web(const sys::HttpRequest& request) {
  if (request.path == "/") return web_page();
  if (request.path != "/status.json") return sys::http_error(404, "what is here is at /");
  if (token_.admits(request)) return status();
  if (!request.field("authorization").empty())
    log_.warning("web-refused", "somebody asked for the status with a token that is not the one");
  auto refusal = sys::http_error(401, "the token of web.token_file is wanted");
  refusal.fields.emplace_back("WWW-Authenticate", "Bearer");
  return refusal;
}

sys::HttpResponse HttpService::status() {
  const Seen& seen = look();
  if (!seen.agent.is_object()) return sys::http_error(503, "hotpaird's main loop does not answer");
  sys::HttpResponse response;
  response.content_type = "application/json";
  if (history_at_ != seen_at_)
    history_ = ask(run_dir_ + "/" + control::kAgentSocket,
                   {{"command", control::command::kHistory}, {"limit", kHistoryShown}});
  history_at_ = seen_at_;
  response.body =
      json{{"agent", seen.agent}, {"dataplane", seen.dataplane}, {"history", history_}}.dump(
          -1, ' ', false, json::error_handler_t::replace);
  return response;
}

const Seen& HttpService::look() {
  const Instant now = sys::now();
  if (seen_at_ && now - *seen_at_ < kFresh) return seen_;
  seen_ = {ask(run_dir_ + "/" + control::kAgentSocket, {{"command", control::command::kStatus}}),
           ask(run_dir_ + "/" + control::kDataplaneSocket,
               {{"command", control::command::kDataplaneStatus}})};
  seen_at_ = sys::now();
  return seen_;
}

}  // namespace hotpair::daemon
