// The election: a total order over two health vectors. Both nodes hold both vectors and so reach
// the same verdict; it is recomputed on every change, and the first criterion that differs decides.
//
// forced state; bandwidth score; good LAGs; management link; remote monitors; failed modules beyond
// the tolerance; incumbency; uptime (beyond the margin); priority; serial.
// With `override`: ... failed modules; priority; incumbency; uptime; serial.
//
// Incumbency: when exactly one of the two is primary, it stays so unless a health criterion speaks
// against it. Without it a pair would hand the role back and forth on the tie-breakers. When
// neither is, the node that holds the sessions of the newer epoch counts as the incumbent: passing
// it over would lose them. When both are, after a full cut, it is void.
#pragma once

#include <span>

#include "agent/core/types.hpp"

namespace hotpair::agent {

enum class Criterion : std::uint8_t {
  forced,
  bandwidth,
  lags,
  management,
  remote,
  modules,
  incumbent,
  uptime,
  priority,
  serial,
  identical,
};
constexpr std::size_t kCriteria = static_cast<std::size_t>(Criterion::identical);
std::string_view to_string(Criterion criterion);  // "traffic-bandwidth score", ... for people

// What a node has of the role, and which of two has more of it; both `none` when they are level.
enum class Incumbency : std::uint8_t { none, newest_sessions, primary };
struct Tenure {
  Role role = Role::init;
  Epoch table_epoch;  // Heartbeat::table_epoch
};
struct Incumbencies {
  Incumbency a = Incumbency::none, b = Incumbency::none;
};
Incumbencies incumbencies(const Tenure& a, const Tenure& b);

struct Candidate {
  ChassisId id = ChassisId::one;
  HealthVector health;
  Serial serial;
  Incumbency incumbency = Incumbency::none;
};

struct ElectionRules {
  bool override_ = false;
  Duration uptime_margin = 300s;
  std::uint8_t board_failover_tolerance = 0;
  // The bits' meaning in both vectors; empty when the two configurations differ. Not owned.
  std::span<const RemoteMonitorConfig> remote_monitors{};
};
// What `config` says the election goes by; a view into it.
ElectionRules rules_of(const NodeConfig& config);

struct Verdict {
  ChassisId winner = ChassisId::one;
  Criterion criterion =
      Criterion::identical;  // identical: no difference at all; the incumbent, else chassis 1
  ShortText<48> winner_value, loser_value;  // as shown: "20 Gbit/s", "priority 200"
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// The summed weight of the remote monitors that `theirs` reaches and `mine` does not. One that
// neither reaches, or whose state is not known on both sides, counts nothing.
unsigned remote_weight_lost(const HealthVector& mine, const HealthVector& theirs,
                            const ElectionRules& rules);

// Symmetric: elect(a, b) == elect(b, a).
Verdict elect(const Candidate& a, const Candidate& b, const ElectionRules& rules);

// For `hotpair why`: every criterion in the order it is asked, and both values as they are shown.
std::array<Criterion, kCriteria> election_order(const ElectionRules& rules);
struct CriterionValues {
  ShortText<48> a, b;
};
CriterionValues criterion_values(Criterion criterion, const Candidate& a, const Candidate& b,
                                 const ElectionRules& rules);

}  // namespace hotpair::agent
