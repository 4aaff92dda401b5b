#include <cstdio>

#include "agent/daemon/control_schema.hpp"
#include "platform/linux/line_client.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {
namespace {

const char* program_name(Daemon daemon) {
  return daemon == Daemon::agent ? "hotpaird" : "hotpair-dataplane";
}

std::string socket_path(const std::string& run_dir, Daemon daemon) {
  return run_dir + "/" +
         (daemon == Daemon::agent ? control::kAgentSocket : control::kDataplaneSocket);
}

}  // namespace

Result<Json> Context::try_ask(Daemon daemon, const Json& request, Duration timeout) const {
  auto client = sys::LineClient::connect(socket_path(run_dir, daemon));
  if (!client) return fail(client.error());
  auto line = client->request(request.dump(), timeout);
  if (!line) return fail(line.error());
  Json answer = Json::parse(*line, nullptr, false);
  if (!answer.is_object()) return fail_with("its answer is not JSON");
  return answer;
}

std::optional<Json> Context::ask(Daemon daemon, const Json& request, Duration timeout) const {
  auto answer = try_ask(daemon, request, timeout);
  if (answer) return *answer;
  say_unreachable(daemon, answer.error().message);
  return std::nullopt;
}

void Context::say_unreachable(Daemon daemon, const std::string& why) {
  const std::string name = program_name(daemon);
  std::fprintf(stderr,
               "hotpair: %s is not reachable: %s\n"
               "  start it:          systemctl start %s\n"
               "  why it stopped:    journalctl -u %s -n 50\n"
               "  it runs elsewhere: hotpair --run-dir DIR\n",
               name.c_str(), why.c_str(), name.c_str(), name.c_str());
}

std::optional<pid_t> Context::pid_of(Daemon daemon) const {
  const auto client = sys::LineClient::connect(socket_path(run_dir, daemon));
  return client ? client->server_pid() : std::nullopt;
}

bool Context::print_json(const Json& answer) const {
  if (!json) return false;
  std::printf("%s\n", answer.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  return true;
}

bool accepted(const Context& context, const Json& answer) {
  if (flag(answer, "ok")) return true;
  if (!context.print_json(answer)) {
    const std::string error = text(answer, "error");
    std::fprintf(stderr, "hotpair: %s\n",
                 error.empty() ? "refused, without a reason" : error.c_str());
  }
  return false;
}

}  // namespace hotpair::ctl
