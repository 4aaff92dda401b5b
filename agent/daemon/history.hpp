// The last role changes with the transaction each of them rested on, for `hotpair history` and
// `why`. A value with its JSON; who writes it to <state-dir>/history.json, and when, is the
// runtime's.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/core/action.hpp"

namespace hotpair::daemon {

constexpr std::size_t kHistoryLimit = 200;  // months of a healthy pair, and a bad day's worth

class History {
 public:
  // `wall` is the time for people, ISO 8601 in UTC.
  void add(const agent::ReportRoleChange& change, std::string wall);
  // Belongs to the newest change, once; without an open one it is not kept.
  void add(const agent::ReportTransaction& transaction);
  // The newest change has had its transaction, or needs none.
  void close();

  // {"changes": [...]} newest last, at most `limit` of them.
  nlohmann::json to_json(std::size_t limit = kHistoryLimit) const;
  // Takes what it can read and skips the rest: a damaged history must never keep a node from
  // starting.
  static History from_text(std::string_view text);

  std::size_t size() const { return changes_.size(); }

 private:
  struct Step {
    std::string name, error;
    double ms = 0;
    bool ok = true;
  };
  struct Change {
    std::string time, from, to, kind, reason;
    std::uint64_t epoch = 0;
    std::vector<Step> steps;
    double total_ms = 0;
    nlohmann::json health, peer_health, election;  // at that moment; null: not known
    bool closed = false;                           // has its transaction, or is from an earlier run
  };
  static nlohmann::json to_json(const Change& change);
  static void attach(const agent::ReportTransaction& transaction, Change& change);

  std::deque<Change> changes_;
};

double to_fractional_ms(Duration d);

}  // namespace hotpair::daemon
