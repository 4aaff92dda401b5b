// The thread behind HttpEndpoints: its loop, its listeners, what it answers.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/daemon/metrics_text.hpp"
#include "agent/daemon/web_page.hpp"
#include "platform/base/log.hpp"
#include "platform/config/config.hpp"
#include "platform/linux/http_server.hpp"
#include "platform/linux/loop_thread.hpp"

namespace hotpair::daemon {

class HttpService {
 public:
  static constexpr Duration kFresh = 200ms;  // so long is an answer of the daemons good for all
  static constexpr Duration kAnswerWithin = 500ms;

  // `run_dir`: where the control sockets are.
  static Result<std::unique_ptr<HttpService>> start(const std::string& run_dir, Log log);
  ~HttpService();
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;

  // From any thread, without waiting: listens where this says, and nowhere else.
  void serve(const config::NodeFile& node);
  // Each listener that could not be opened, and why.
  std::vector<std::string> problems() const;

 private:
  // One place where something is served; opened again only when it moves.
  struct Endpoint {
    std::string at;
    std::unique_ptr<sys::HttpServer> server;
  };

  HttpService(std::string run_dir, Log log);
  void listen(const std::string& what, Endpoint& endpoint, const std::string& at,
              const sys::HttpServer::Handler& handler, std::vector<std::string>& problems);
  void apply(const config::NodeFile& node);
  // False: it cannot be read, and nothing is to be served.
  bool load_token(const config::Web& web, std::vector<std::string>& problems);
  void report(const std::string& problem, std::vector<std::string>& problems);
  sys::HttpResponse metrics(const sys::HttpRequest& request);
  sys::HttpResponse web(const sys::HttpRequest& request);
  sys::HttpResponse status();
  const Seen& look();

  std::string run_dir_;
  Log log_;
  // The thread's own.
  Endpoint metrics_, web_;
  WebToken token_;
  Seen seen_;
  nlohmann::json history_;  // of the time of seen_
  std::optional<Instant> seen_at_, history_at_;

  mutable std::mutex mutex_;
  std::vector<std::string> problems_;
  std::unique_ptr<sys::LoopThread> thread_;
};

}  // namespace hotpair::daemon
