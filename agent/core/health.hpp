// This node's own health vector, from what the monitors report. Pure: `now` enters only as the
// uptime and as what must have stood for a while before it counts: a link that bounced is back only
// after its back-off, and what a remote monitor answers counts once the peer has had the time to
// see it too. What is lost counts at once, unless it is a remote monitor's.
#pragma once

#include <optional>

#include "agent/core/backoff.hpp"
#include "agent/core/event.hpp"

namespace hotpair::agent {

class Health {
 public:
  Health(const NodeConfig& config, Instant started);

  void configure(const NodeConfig& config);
  void link(const LinkChanged& change, Instant now);
  void remote(const RemoteMonitorsChanged& change, Instant now);
  void management(bool up) { management_up_ = up; }
  void modules(const ModulesChanged& change);
  // The redundant addresses cannot be claimed here: counts as one more failed module.
  void claiming_fails(bool fails) { claiming_fails_ = fails; }
  // The uptime is taken over into the vector; between two calls the vector stands still, so that
  // both nodes compare the same one.
  void refresh_uptime(Instant now);
  // Counts what has stood for long enough; next_change() says when there may be more.
  void settle(Instant now);
  Instant next_change() const;

  // Every data interface has been reported at least once.
  bool complete() const { return reported_ == config_.data_interfaces.size(); }
  HealthVector vector(Forced forced) const;
  StaticVector<ShortText<48>, 8> lost_interfaces() const;
  // A link that is up, or faster again, and does not count so yet.
  struct Held {
    ShortText<48> name;
    Instant until;
    unsigned bounces = 0;
  };
  std::optional<Held> held() const;  // the one that waits longest
  HealthVector vector_without_backoff(Forced forced) const;
  const ShortText<96>& first_failed() const { return modules_.first_failed; }

  // For rehearsals (what_if.hpp).
  std::optional<std::size_t> find(std::string_view interface) const;
  ShortText<48> shown_name(std::size_t interface) const;  // with its logical system
  std::uint64_t full_speed(std::size_t interface) const;
  void assume_link(std::size_t interface, bool up);

 private:
  template <typename>
  friend struct FieldsOf;  // recordings
  struct Interface {
    bool reported = false, present = false, up = false;  // up and speed: as they count
    std::uint64_t speed_mbps = 0, full_speed_mbps = 0;
    std::uint64_t told_mbps = 0;  // as reported; 0 while down
    Instant changed_at;           // told_mbps
    bool fell = false;            // and it was a fall
    Backoff bounces;

    Instant counts_at() const { return changed_at + bounces.delay(); }
    void count() {
      speed_mbps = told_mbps;
      up = told_mbps != 0;
    }
  };
  // One remote monitor's word, and since when it stands.
  struct Remote {
    bool known = false, reached = false;
    Instant since;
  };
  Instant settled_at(std::size_t monitor) const;
  void carry_over(const NodeConfig& before);

  NodeConfig config_;
  Instant started_;
  std::array<Interface, kMaxDataInterfaces> interfaces_{};
  std::size_t reported_ = 0;
  std::array<Remote, kMaxRemoteMonitors> remote_{};
  std::uint32_t remote_known_ = 0, remote_reached_ = 0;  // as they count
  bool management_up_ = true, claiming_fails_ = false;
  ModulesChanged modules_;
  std::uint32_t uptime_s_ = 0;
};

// The node lacks something that it would have when all is well: what moves the role is then a
// fault, not a choice.
bool has_fault(const HealthVector& health, std::uint8_t board_failover_tolerance);
// Equal but for the uptime, which changes by itself.
bool same_inputs(HealthVector a, HealthVector b);

}  // namespace hotpair::agent
