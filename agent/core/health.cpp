#include "agent/core/health.hpp"

#include "agent/core/text.hpp"

namespace hotpair::agent {
namespace {

constexpr std::uint64_t kUnknownSpeedMbps = 1000;
constexpr std::uint64_t kFastestMbps = 10'000'000;  // 10 Tbit/s: 64 of them cannot overflow a sum

std::uint64_t bounded_speed(std::uint64_t mbps) {
  return mbps == 0 ? kUnknownSpeedMbps : std::min(mbps, kFastestMbps);
}

}  // namespace

Health::Health(const NodeConfig& config, Instant started) : config_(config), started_(started) {
  modules_.priority = config.priority;
}

void Health::configure(const NodeConfig& config) {
  if (!(config.data_interfaces.size() == config_.data_interfaces.size())) {
    interfaces_ = {};
    reported_ = 0;
  }
  if (config.priority != config_.priority && modules_.priority == config_.priority)
    modules_.priority = config.priority;
  config_ = config;
}

void Health::link(const LinkChanged& change) {
  if (change.interface >= config_.data_interfaces.size()) return;
  Interface& interface = interfaces_[change.interface];
  if (!interface.reported) ++reported_;
  interface.reported = true;
  interface.present = change.present;
  interface.up = change.present && change.up;
  interface.speed_mbps = interface.up ? bounded_speed(change.speed_mbps) : 0;
  // A device that is gone names no speed: what it had counts on, so that it is missed.
  if (change.full_speed_mbps != 0 || interface.full_speed_mbps == 0)
    interface.full_speed_mbps = bounded_speed(change.full_speed_mbps);
  interface.full_speed_mbps = std::max(interface.full_speed_mbps, interface.speed_mbps);
}

void Health::modules(const ModulesChanged& change) {
  modules_ = change;
}

void Health::refresh_uptime(Instant now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - started_).count();
  uptime_s_ = static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, UINT32_MAX));
}

HealthVector Health::vector(Forced forced) const {
  HealthVector vector;
  vector.forced = forced;
  for (std::size_t i = 0; i < config_.data_interfaces.size(); ++i) {
    const Interface& interface = interfaces_[i];
    vector.bandwidth_mbps += interface.speed_mbps;
    vector.full_bandwidth_mbps += interface.full_speed_mbps;
    if (!config_.data_interfaces[i].lag) continue;
    ++vector.full_lags;
    if (interface.up) ++vector.good_lags;
  }
  vector.management_link = management_up_;
  const unsigned failed = modules_.failed + (claiming_fails_ ? 1u : 0u);
  vector.failed_modules = static_cast<std::uint8_t>(std::min(failed, 255u));
  vector.uptime_s = uptime_s_;
  vector.priority = modules_.priority;
  return vector;
}

StaticVector<ShortText<48>, 8> Health::lost_interfaces() const {
  StaticVector<ShortText<48>, 8> lost;
  for (std::size_t i = 0; i < config_.data_interfaces.size() && !lost.full(); ++i)
    if (!interfaces_[i].up && interfaces_[i].reported) lost.push_back(shown_name(i));
  return lost;
}

std::optional<std::size_t> Health::find(std::string_view interface) const {
  for (std::size_t i = 0; i < config_.data_interfaces.size(); ++i)
    if (config_.data_interfaces[i].name.view() == interface) return i;
  return std::nullopt;
}

ShortText<48> Health::shown_name(std::size_t interface) const {
  const DataInterfaceConfig& config = config_.data_interfaces[interface];
  Text<48> name;
  if (config.logical_system.size != 0) name << config.logical_system << "/";
  return name << config.name;
}

std::uint64_t Health::full_speed(std::size_t interface) const {
  return interfaces_[interface].full_speed_mbps;
}

void Health::assume_link(std::size_t interface, bool up) {
  Interface& assumed = interfaces_[interface];
  assumed.reported = assumed.present = true;
  assumed.up = up;
  assumed.speed_mbps = up ? assumed.full_speed_mbps : 0;
}

bool has_fault(const HealthVector& health, std::uint8_t board_failover_tolerance) {
  return health.bandwidth_mbps < health.full_bandwidth_mbps ||
         health.good_lags < health.full_lags || !health.management_link ||
         health.failed_modules > board_failover_tolerance;
}

bool same_inputs(HealthVector a, HealthVector b) {
  a.uptime_s = b.uptime_s = 0;
  return a == b;
}

}  // namespace hotpair::agent
