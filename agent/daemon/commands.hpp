// The control socket: reads a request, asks the runtime, answers. The requests and answers are
// described in control_schema.hpp; what a client sends is bounded and never trusted.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/core/action.hpp"
#include "agent/core/event.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/line_server.hpp"

namespace hotpair::daemon {

using ReloadAnswered = std::function<void(const nlohmann::json&)>;
using OrderAnswered = std::function<void(const agent::OperatorAnswer&)>;

// What the commands need of the runtime.
struct CommandTarget {
  std::function<nlohmann::json()> status, why;
  std::function<nlohmann::json(std::size_t limit)> history;
  // Hands an order to the core; `answered` is called once, at once or when the order was carried
  // out.
  std::function<void(agent::OperatorCommand::What, OrderAnswered answered)> order;
  std::function<void(ReloadAnswered answered)> reload;
  std::function<nlohmann::json(const nlohmann::json& request)> what_if;
  std::function<nlohmann::json(bool by_force)> plan_failover;
  std::function<nlohmann::json()> password_status;
  std::function<void(bool back, ReloadAnswered answered)> password_switch;
  // What a companion answers (companion.hpp); false: no such command.
  std::function<bool(const std::string& command, const nlohmann::json& request,
                     const ReloadAnswered& answered)>
      companions;
};

class Commands {
 public:
  static Result<std::unique_ptr<Commands>> listen(sys::EventLoop& loop, const std::string& path,
                                                  CommandTarget target, Log log);

 private:
  Commands(CommandTarget target, Log log) : target_(std::move(target)), log_(std::move(log)) {}
  void handle(sys::ConnectionId connection, std::string_view line);
  void dispatch(sys::ConnectionId connection, const std::string& command,
                const nlohmann::json& request);
  void failover(sys::ConnectionId connection, const nlohmann::json& request);
  void force(sys::ConnectionId connection, const nlohmann::json& request);
  void maintenance(sys::ConnectionId connection, const nlohmann::json& request);
  void password(sys::ConnectionId connection, const nlohmann::json& request);
  void answer(sys::ConnectionId connection, const nlohmann::json& reply);
  void order(sys::ConnectionId connection, agent::OperatorCommand::What what);

  CommandTarget target_;
  Log log_;
  std::unique_ptr<sys::LineServer> server_;
};

nlohmann::json error_json(const std::string& message);

}  // namespace hotpair::daemon
