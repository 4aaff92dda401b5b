#include "agent/daemon/commands.hpp"

#include "agent/daemon/command_arguments.hpp"
#include "agent/daemon/control_schema.hpp"
#include "agent/daemon/history.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;
using What = agent::OperatorCommand::What;

// Text from peers and files may be no UTF-8; an answer always is.
std::string line_of(const json& reply) {
  return reply.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool flag_of(const json& request, const char* key) {
  return request.value(key, false);
}

std::string text_or(const json& request, const char* key, const std::string& fallback) {
  const auto it = request.find(key);
  return it != request.end() && it->is_string() ? it->get<std::string>() : fallback;
}

}  // namespace

json error_json(const std::string& message) {
  return {{"ok", false}, {"error", message}};
}

Result<std::unique_ptr<Commands>> Commands::listen(sys::EventLoop& loop, const std::string& path,
                                                   CommandTarget target, Log log) {
  auto commands = std::unique_ptr<Commands>(new Commands(std::move(target), std::move(log)));
  sys::LineServerOptions options;
  options.path = path;
  options.max_line = control::kMaxRequest;
  options.max_connections = control::kMaxConnections;
  options.too_long_answer = line_of(
      error_json("the request is longer than " + std::to_string(control::kMaxRequest) + " bytes"));
  auto server = sys::LineServer::listen(
      loop, options, [raw = commands.get()](sys::ConnectionId connection, std::string_view line) {
        raw->handle(connection, line);
      });
  if (!server) return Failure<Error>{server.error()};
  commands->server_ = std::move(server).value();
  return commands;
}

void Commands::answer(sys::ConnectionId connection, const json& reply) {
  server_->answer(connection, line_of(reply));
}

void Commands::handle(sys::ConnectionId connection, std::string_view line) {
  const json request = json::parse(line, nullptr, false);
  const auto command = request.is_object() ? text_or(request, "command", "") : std::string();
  if (command.empty()) {
    server_->answer_and_close(
        connection, line_of(error_json("the request is not a JSON object with a \"command\"; "
                                       "try 'hotpair status'")));
    return;
  }
  dispatch(connection, command, request);
}

void Commands::dispatch(sys::ConnectionId connection, const std::string& command,
                        const json& request) {
  namespace names = control::command;
  if (const std::string mistake = mistake_in_arguments(command, request); !mistake.empty())
    return answer(connection, error_json(mistake));
  if (command == names::kStatus) return answer(connection, target_.status());
  if (command == names::kWhy) return answer(connection, target_.why());
  if (command == names::kWhatIf) return answer(connection, target_.what_if(request));
  if (command == names::kFailover) return failover(connection, request);
  if (command == names::kForce) return force(connection, request);
  if (command == names::kMaintenance) return maintenance(connection, request);
  if (command == names::kPassword) return password(connection, request);
  if (command == names::kReload)
    return target_.reload([this, connection](const json& reply) { answer(connection, reply); });
  if (command == names::kHistory) {
    return answer(connection, target_.history(request.value("limit", kHistoryLimit)));
  }
  if (target_.companions &&
      target_.companions(command, request,
                         [this, connection](const json& reply) { answer(connection, reply); }))
    return;
  answer(connection, error_json("there is no command '" + command.substr(0, 40) +
                                "'; known are status, why, history, failover, force, "
                                "maintenance, reload, password and what_if"));
}

void Commands::force(sys::ConnectionId connection, const json& request) {
  const std::string state = text_or(request, "state", "");
  What what = What::force_none;
  if (state == "primary") {
    what = What::force_primary;
  } else if (state == "backup") {
    what = What::force_backup;
  } else if (state != "none") {
    return answer(connection, error_json("\"state\" is one of primary, backup, none"));
  }
  log_.notice("operator", "an operator asks to force this node: " + state, {{"command", "force"}});
  order(connection, what);
}

void Commands::failover(sys::ConnectionId connection, const json& request) {
  const bool forced = flag_of(request, "force");
  if (flag_of(request, "dry_run")) return answer(connection, target_.plan_failover(forced));
  log_.notice("operator",
              std::string("an operator asks for a failover") + (forced ? " by force" : ""),
              {{"command", "failover"}});
  order(connection, forced ? What::failover_force : What::failover);
}

void Commands::maintenance(sys::ConnectionId connection, const json& request) {
  if (!request.contains("on")) return answer(connection, error_json("\"on\" is true or false"));
  const bool on = flag_of(request, "on");
  log_.notice("operator",
              on ? "an operator begins maintenance of this node"
                 : "an operator ends maintenance of this node",
              {{"command", "maintenance"}});
  order(connection, on ? What::maintenance_on : What::maintenance_off);
}

void Commands::password(sys::ConnectionId connection, const json& request) {
  const std::string action = text_or(request, "action", "status");
  if (action == "status") return answer(connection, target_.password_status());
  if (action != "switch")
    return answer(connection, error_json("\"action\" is one of status, switch"));
  const bool back = flag_of(request, "back");
  log_.notice("operator", "an operator asks to switch the password", {{"command", "password"}});
  target_.password_switch(back,
                          [this, connection](const json& reply) { answer(connection, reply); });
}

void Commands::order(sys::ConnectionId connection, What what) {
  target_.order(what, [this, connection, asked = sys::now()](const agent::OperatorAnswer& said) {
    const std::string text(said.text.view());
    if (!said.accepted) return answer(connection, error_json(text));
    answer(connection,
           {{"ok", true}, {"message", text}, {"took_ms", to_fractional_ms(sys::now() - asked)}});
  });
}

}  // namespace hotpair::daemon
