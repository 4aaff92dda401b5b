// The control socket: reads a request, asks the runtime, answers. The requests and answers are
// described in control_schema.hpp; what a client sends is bounded and never trusted.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/core/event.hpp"
#include "agent/core/node.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/line_server.hpp"

namespace hotpair::daemon {

constexpr Duration kFailoverTimeout = 15s;

// What the commands need of the runtime.
struct CommandTarget {
  std::function<nlohmann::json()> status, why;
  std::function<nlohmann::json(std::size_t limit)> history;
  std::function<agent::NodeStatus()> node;
  // Steps an operator's command and returns the core's answer.
  std::function<agent::OperatorAnswer(agent::OperatorCommand::What)> command;
  std::function<nlohmann::json()> reload;
};

class Commands {
 public:
  static Result<std::unique_ptr<Commands>> listen(sys::EventLoop& loop, const std::string& path,
                                                  CommandTarget target, Log log);
  ~Commands();

  // After each turn: a failover that was asked for may be over.
  void check_failovers();

 private:
  struct Failover {
    sys::ConnectionId connection;
    Instant asked;
    bool was_primary;
  };
  Commands(sys::EventLoop& loop, CommandTarget target, Log log)
      : loop_(loop), target_(std::move(target)), log_(std::move(log)) {}
  void handle(sys::ConnectionId connection, std::string_view line);
  void dispatch(sys::ConnectionId connection, const std::string& command,
                const nlohmann::json& request);
  void failover(sys::ConnectionId connection, const nlohmann::json& request);
  void force(sys::ConnectionId connection, const nlohmann::json& request);
  void answer(sys::ConnectionId connection, const nlohmann::json& reply);
  // None: not over yet.
  std::optional<nlohmann::json> outcome(const Failover& failover,
                                        const agent::NodeStatus& node) const;

  sys::EventLoop& loop_;
  CommandTarget target_;
  Log log_;
  std::vector<Failover> failovers_;  // at most control::kMaxConnections
  sys::TimerId timer_ = 0;
  std::unique_ptr<sys::LineServer> server_;
};

nlohmann::json error_json(const std::string& message);

}  // namespace hotpair::daemon
