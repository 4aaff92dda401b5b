#include "agent/daemon/reporter.hpp"

#include <cstdio>

#include "agent/core/role.hpp"

namespace hotpair::daemon {
namespace {

std::string ms_text(Duration d) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f ms", to_fractional_ms(d));
  return text;
}

// "persist 0.00 ms, data plane 1.20 ms, claim 0.90 ms"
std::string steps_text(const agent::ReportTransaction& transaction) {
  std::string text;
  for (const auto& step : transaction.steps) {
    text += (text.empty() ? "" : ", ") + std::string(step.name.view()) + " " + ms_text(step.took);
    if (!step.ok) text += " failed (" + std::string(step.error.view()) + ")";
  }
  return text;
}

LogLevel level_of(agent::ReportEvent::Level level) {
  switch (level) {
    case agent::ReportEvent::Level::info:
      return LogLevel::info;
    case agent::ReportEvent::Level::notice:
      return LogLevel::notice;
    case agent::ReportEvent::Level::warning:
      return LogLevel::warning;
    case agent::ReportEvent::Level::error:
      return LogLevel::error;
  }
  return LogLevel::info;
}

}  // namespace

void Reporter::report(const agent::ReportRoleChange& change, std::string wall) {
  if (change_) flush();
  counts_.note(change);
  change_ = change;
  wall_ = std::move(wall);
  if (transaction_) flush();
}

void Reporter::report(const agent::ReportTransaction& transaction) {
  counts_.note(transaction);
  transaction_ = transaction;
  if (change_) flush();
}

void Reporter::report(const agent::ReportEvent& event) {
  log_.write(level_of(event.level), event.id.view(), std::string(event.text.view()));
}

void Reporter::settle() {
  if (waiting()) flush();
}

void Reporter::flush() {
  const auto change = std::exchange(change_, std::nullopt);
  const auto transaction = std::exchange(transaction_, std::nullopt);
  const std::string took =
      transaction ? ms_text(transaction->total) + ": " + steps_text(*transaction) : std::string();
  if (!change) {
    log_.notice("transaction", std::string(transaction->takeover ? "takeover" : "giving back") +
                                   " over in " + took);
    return;
  }
  history_.add(*change, wall_);
  if (transaction) history_.add(*transaction);
  history_.close();
  const std::string to(agent::to_string(change->to));
  log_.notice("role-change",
              to + " (was " + std::string(agent::to_string(change->from)) + ") at epoch " +
                  std::to_string(change->epoch.number) + ": " + std::string(change->reason.view()) +
                  (took.empty() ? "" : "; " + took),
              {{"role", to},
               {"from", agent::to_string(change->from)},
               {"epoch", change->epoch.number},
               {"kind", to_string(change->kind)},
               {"reason", change->reason.view()},
               {"total_ms", transaction ? to_fractional_ms(transaction->total) : 0.0},
               {"steps", transaction ? steps_text(*transaction) : std::string()}});
  changed_();
}

}  // namespace hotpair::daemon
