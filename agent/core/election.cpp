#include "agent/core/election.hpp"

#include <bit>
#include <tuple>

#include "agent/core/text.hpp"

namespace hotpair::agent {
namespace {

using Value = Text<48>;

// One row of the order: which of the two is better by it, and the value as people read it.
struct Rule {
  Criterion criterion;
  int (*better)(const Candidate& a, const Candidate& b, const ElectionRules& rules);  // >0: a
  Value (*shown)(const Candidate& candidate, const Candidate& other, const ElectionRules& rules);
};

template <typename T>
constexpr int compare(const T& a, const T& b) {
  return a == b ? 0 : (a > b ? 1 : -1);
}

// Failed modules up to the tolerance are forgiven: they count as none.
int counted_failures(const Candidate& c, const ElectionRules& rules) {
  const int beyond = c.health.failed_modules - rules.board_failover_tolerance;
  return beyond > 0 ? beyond : 0;
}

Value gigabits(std::uint64_t mbps) {
  Value value(mbps / 1000);
  const std::uint64_t tenths = mbps % 1000 / 100;
  if (tenths != 0) value << "." << tenths;
  return value << " Gbit/s";
}

// Bit by bit what `theirs` reaches and `mine` does not, of the monitors that have a weight.
std::uint32_t remote_lost(const HealthVector& mine, const HealthVector& theirs,
                          const ElectionRules& rules) {
  std::uint32_t weighty = 0;
  for (std::size_t i = 0; i < rules.remote_monitors.size() && i < kMaxRemoteMonitors; ++i)
    if (rules.remote_monitors[i].weight != 0) weighty |= std::uint32_t{1} << i;
  return weighty & mine.remote_known & theirs.remote_known & theirs.remote_reached &
         ~mine.remote_reached;
}

Value shown_remote(const HealthVector& mine, const HealthVector& theirs,
                   const ElectionRules& rules) {
  const std::uint32_t lost = remote_lost(mine, theirs, rules);
  const unsigned weight = remote_weight_lost(mine, theirs, rules);
  if (weight == 0) return Value("none lost");
  if (std::popcount(lost) != 1) return Value(std::popcount(lost), " lost, weight ", weight);
  const auto at = static_cast<std::size_t>(std::countr_zero(lost));
  return Value(rules.remote_monitors[at].address, " lost");
}

std::string_view shown_incumbency(Incumbency incumbency) {
  switch (incumbency) {
    case Incumbency::primary:
      return "holds the role";
    case Incumbency::newest_sessions:
      return "holds the newest sessions";
    case Incumbency::none:
      break;
  }
  return "does not";
}

constexpr Rule kForced{Criterion::forced,
                       [](const Candidate& a, const Candidate& b, const ElectionRules&) {
                         return compare(static_cast<int>(a.health.forced),
                                        static_cast<int>(b.health.forced));
                       },
                       [](const Candidate& c, const Candidate&, const ElectionRules&) {
                         return Value(to_string(c.health.forced));
                       }};
constexpr Rule kBandwidth{Criterion::bandwidth,
                          [](const Candidate& a, const Candidate& b, const ElectionRules&) {
                            return compare(a.health.bandwidth_mbps, b.health.bandwidth_mbps);
                          },
                          [](const Candidate& c, const Candidate&, const ElectionRules&) {
                            return gigabits(c.health.bandwidth_mbps);
                          }};
constexpr Rule kLags{Criterion::lags,
                     [](const Candidate& a, const Candidate& b, const ElectionRules&) {
                       return compare(a.health.good_lags, b.health.good_lags);
                     },
                     [](const Candidate& c, const Candidate&, const ElectionRules&) {
                       return Value(c.health.good_lags);
                     }};
constexpr Rule kManagement{Criterion::management,
                           [](const Candidate& a, const Candidate& b, const ElectionRules&) {
                             return compare(a.health.management_link, b.health.management_link);
                           },
                           [](const Candidate& c, const Candidate&, const ElectionRules&) {
                             return Value(c.health.management_link ? "up" : "down");
                           }};
constexpr Rule kRemote{Criterion::remote,
                       [](const Candidate& a, const Candidate& b, const ElectionRules& rules) {
                         return compare(remote_weight_lost(b.health, a.health, rules),
                                        remote_weight_lost(a.health, b.health, rules));
                       },
                       [](const Candidate& c, const Candidate& other, const ElectionRules& rules) {
                         return shown_remote(c.health, other.health, rules);
                       }};
constexpr Rule kModules{Criterion::modules,
                        [](const Candidate& a, const Candidate& b, const ElectionRules& rules) {
                          return compare(counted_failures(b, rules), counted_failures(a, rules));
                        },
                        [](const Candidate& c, const Candidate&, const ElectionRules&) {
                          return Value(static_cast<unsigned>(c.health.failed_modules));
                        }};
constexpr Rule kIncumbent{Criterion::incumbent,
                          [](const Candidate& a, const Candidate& b, const ElectionRules&) {
                            return compare(a.incumbency, b.incumbency);
                          },
                          [](const Candidate& c, const Candidate&, const ElectionRules&) {
                            return Value(shown_incumbency(c.incumbency));
                          }};
constexpr Rule kUptime{
    Criterion::uptime,
    [](const Candidate& a, const Candidate& b, const ElectionRules& rules) {
      const std::int64_t ahead = std::int64_t{a.health.uptime_s} - std::int64_t{b.health.uptime_s};
      const std::int64_t margin =
          std::chrono::duration_cast<std::chrono::seconds>(rules.uptime_margin).count();
      return ahead > margin ? 1 : (-ahead > margin ? -1 : 0);
    },
    [](const Candidate& c, const Candidate&, const ElectionRules&) {
      return Value(c.health.uptime_s, " s");
    }};
constexpr Rule kPriority{Criterion::priority,
                         [](const Candidate& a, const Candidate& b, const ElectionRules&) {
                           return compare(a.health.priority, b.health.priority);
                         },
                         [](const Candidate& c, const Candidate&, const ElectionRules&) {
                           return Value(c.health.priority);
                         }};
constexpr Rule kSerial{
    Criterion::serial,
    [](const Candidate& a, const Candidate& b, const ElectionRules&) {
      return compare(a.serial.view(), b.serial.view());
    },
    [](const Candidate& c, const Candidate&, const ElectionRules&) { return Value(c.serial); }};

using Order = std::array<Rule, kCriteria>;
constexpr Order kOrder{kForced,  kBandwidth, kLags,   kManagement, kRemote,
                       kModules, kIncumbent, kUptime, kPriority,   kSerial};
constexpr Order kOverrideOrder{kForced,  kBandwidth, kLags,      kManagement, kRemote,
                               kModules, kPriority,  kIncumbent, kUptime,     kSerial};

}  // namespace

std::string_view to_string(Criterion criterion) {
  switch (criterion) {
    case Criterion::forced:
      return "forced state";
    case Criterion::bandwidth:
      return "traffic-bandwidth score";
    case Criterion::lags:
      return "good LAGs";
    case Criterion::management:
      return "management link";
    case Criterion::remote:
      return "remote monitors";
    case Criterion::modules:
      return "failed modules";
    case Criterion::incumbent:
      return "incumbency";
    case Criterion::uptime:
      return "uptime";
    case Criterion::priority:
      return "priority";
    case Criterion::serial:
      return "serial";
    case Criterion::identical:
      return "nothing";
  }
  return "unknown";
}

ElectionRules rules_of(const NodeConfig& config) {
  return {config.override_,
          config.uptime_margin,
          config.board_failover_tolerance,
          {config.remote_monitors.begin(), config.remote_monitors.end()}};
}

unsigned remote_weight_lost(const HealthVector& mine, const HealthVector& theirs,
                            const ElectionRules& rules) {
  const std::uint32_t lost = remote_lost(mine, theirs, rules);
  unsigned weight = 0;
  for (std::size_t i = 0; i < rules.remote_monitors.size() && i < kMaxRemoteMonitors; ++i)
    if (lost >> i & 1) weight += rules.remote_monitors[i].weight;
  return weight;
}

Incumbencies incumbencies(const Tenure& a, const Tenure& b) {
  // A backup stands above a node that has just started even before it is in sync: it knows more.
  const auto rank = [](const Tenure& t) {
    return std::tuple(t.role == Role::primary, t.table_epoch, t.role == Role::backup);
  };
  const bool both_primary = a.role == Role::primary && b.role == Role::primary;
  if (both_primary || rank(a) == rank(b)) return {};
  const bool a_stands_above = rank(a) > rank(b);
  const Role role = a_stands_above ? a.role : b.role;
  const Incumbency held = role == Role::primary ? Incumbency::primary : Incumbency::newest_sessions;
  return a_stands_above ? Incumbencies{held, Incumbency::none}
                        : Incumbencies{Incumbency::none, held};
}

Verdict elect(const Candidate& a, const Candidate& b, const ElectionRules& rules) {
  for (const Rule& rule : rules.override_ ? kOverrideOrder : kOrder) {
    const int better = rule.better(a, b, rules);
    if (better == 0) continue;
    const Candidate& winner = better > 0 ? a : b;
    const Candidate& loser = better > 0 ? b : a;
    return {winner.id, rule.criterion, rule.shown(winner, loser, rules),
            rule.shown(loser, winner, rules)};
  }
  return {ChassisId::one, Criterion::identical, {}, {}};
}

CriterionValues criterion_values(Criterion criterion, const Candidate& a, const Candidate& b,
                                 const ElectionRules& rules) {
  for (const Rule& rule : kOrder)
    if (rule.criterion == criterion) return {rule.shown(a, b, rules), rule.shown(b, a, rules)};
  return {};
}

std::array<Criterion, kCriteria> election_order(const ElectionRules& rules) {
  std::array<Criterion, kCriteria> order{};
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = (rules.override_ ? kOverrideOrder : kOrder)[i].criterion;
  return order;
}

}  // namespace hotpair::agent
