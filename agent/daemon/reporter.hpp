// The core's reports for people: one log line for a change of role, with what it rested on and the
// time of each step, the history, and everything else worth a line. A change's line waits for its
// transaction.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/core/action.hpp"
#include "agent/daemon/history.hpp"
#include "agent/daemon/transition_counts.hpp"
#include "platform/base/log.hpp"

namespace hotpair::daemon {

class Reporter {
 public:
  // `changed`: the history is worth writing to disk.
  Reporter(Log log, History history, std::function<void()> changed)
      : log_(std::move(log)), history_(std::move(history)), changed_(std::move(changed)) {}

  void report(const agent::ReportRoleChange& change, std::string wall);
  void report(const agent::ReportTransaction& transaction);
  void report(const agent::ReportEvent& event);
  // After each turn of the core: no transaction is under way, so nothing more belongs to the last
  // change.
  void settle();

  bool waiting() const { return change_.has_value() || transaction_.has_value(); }
  const History& history() const { return history_; }
  const TransitionCounts& counts() const { return counts_; }

 private:
  void flush();

  Log log_;
  History history_;
  TransitionCounts counts_;
  std::function<void()> changed_;
  std::optional<agent::ReportRoleChange> change_;
  std::optional<agent::ReportTransaction> transaction_;
  std::string wall_;
};

}  // namespace hotpair::daemon
