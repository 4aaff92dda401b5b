// This node's own health vector, from what the monitors report. Pure: `now` enters only as the
// uptime.
#pragma once

#include <optional>

#include "agent/core/event.hpp"

namespace hotpair::agent {

class Health {
 public:
  Health(const NodeConfig& config, Instant started);

  void configure(const NodeConfig& config);
  void link(const LinkChanged& change);
  void management(bool up) { management_up_ = up; }
  void modules(const ModulesChanged& change);
  // The redundant addresses cannot be claimed here: counts as one more failed module.
  void claiming_fails(bool fails) { claiming_fails_ = fails; }
  // The uptime is taken over into the vector; between two calls the vector stands still, so that
  // both nodes compare the same one.
  void refresh_uptime(Instant now);

  // Every data interface has been reported at least once.
  bool complete() const { return reported_ == config_.data_interfaces.size(); }
  HealthVector vector(Forced forced) const;
  StaticVector<ShortText<48>, 8> lost_interfaces() const;
  const ShortText<96>& first_failed() const { return modules_.first_failed; }

  // For rehearsals (what_if.hpp).
  std::optional<std::size_t> find(std::string_view interface) const;
  ShortText<48> shown_name(std::size_t interface) const;  // with its logical system
  std::uint64_t full_speed(std::size_t interface) const;
  void assume_link(std::size_t interface, bool up);

 private:
  struct Interface {
    bool reported = false, present = false, up = false;
    std::uint64_t speed_mbps = 0, full_speed_mbps = 0;
  };

  NodeConfig config_;
  Instant started_;
  std::array<Interface, kMaxDataInterfaces> interfaces_{};
  std::size_t reported_ = 0;
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
