// Who speaks our protocol on a heartbeat interface and is not accepted: counted by kind and
// interface for `status` and `doctor`, with what to change. Bounded by kinds times interfaces; a
// flood of bad frames costs one event in 100 ms and one log line a minute a row.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/association.hpp"
#include "agent/core/event.hpp"
#include "platform/base/time.hpp"

namespace hotpair::daemon {

constexpr Duration kMismatchEventInterval = 100ms;
constexpr Duration kMismatchLogInterval = 1min;

struct MismatchRow {
  std::string kind, interface, detail, cause, advice;
  std::uint64_t count = 0;
  std::string last_seen;  // wall time for people
  Instant last;
};

class MismatchTable {
 public:
  struct Sighting {
    agent::Rejection reason = agent::Rejection::wrong_password;
    agent::PathId path = 0;
    std::string_view interface;
    std::string_view detail;
    Instant at;
  };
  struct Verdict {
    bool tell_node = false;  // at most once in kMismatchEventInterval a row
    bool log = false;        // the first, then at most once in kMismatchLogInterval
    std::uint64_t since_last_log = 0;
  };
  Verdict note(const Sighting& sighting, std::string wall);
  std::vector<MismatchRow> rows() const;

 private:
  struct Entry {
    agent::Rejection reason;
    agent::PathId path;
    MismatchRow row;
    Instant told, logged;
    std::uint64_t logged_count = 0;
  };
  std::vector<Entry> entries_;
};

// Whether a rejection tells of something an operator should mend. Others are replays, noise, frames
// of an earlier run, or the first frames of a handshake (not_echoed), and are only counted.
bool needs_an_operator(agent::Rejection reason);
// The name by which events.def knows a row's kind: "mismatch-wrong-group".
std::string event_of_mismatch(std::string_view kind);
// The core's word for it; none for those the core does not weigh.
std::optional<agent::MismatchSeen::Kind> mismatch_kind(agent::Rejection reason);
// What most likely is behind it; what an operator should change.
std::string_view cause_of(agent::Rejection reason);
std::string_view advice_for(agent::Rejection reason);

}  // namespace hotpair::daemon
