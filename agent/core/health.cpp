#include "agent/core/health.hpp"

#include "agent/core/text.hpp"

namespace hotpair::agent {
namespace {

constexpr std::uint64_t kUnknownSpeedMbps = 1000;
constexpr std::uint64_t kFastestMbps = 10'000'000;  // 10 Tbit/s: 64 of them cannot overflow a sum

constexpr unsigned kFreeBounces = 1;  // a single failure is over when the link is back

std::uint64_t bounded_speed(std::uint64_t mbps) {
  return mbps == 0 ? kUnknownSpeedMbps : std::min(mbps, kFastestMbps);
}

}  // namespace

Health::Health(const NodeConfig& config, Instant started) : config_(config), started_(started) {
  modules_.priority = config.priority;
}

void Health::configure(const NodeConfig& config) {
  const NodeConfig before = config_;
  if (config.priority != config_.priority && modules_.priority == config_.priority)
    modules_.priority = config.priority;
  config_ = config;
  carry_over(before);
}

// An interface is known by its name, whatever its place in the list; a list of remote monitors that
// changed gives every bit another meaning.
void Health::carry_over(const NodeConfig& before) {
  const auto interfaces = interfaces_;
  interfaces_ = {};
  reported_ = 0;
  for (std::size_t i = 0; i < config_.data_interfaces.size(); ++i)
    for (std::size_t j = 0; j < before.data_interfaces.size(); ++j)
      if (config_.data_interfaces[i].name == before.data_interfaces[j].name) {
        interfaces_[i] = interfaces[j];
        if (interfaces_[i].reported) ++reported_;
      }
  bool same = before.remote_monitors.size() == config_.remote_monitors.size();
  for (std::size_t i = 0; same && i < config_.remote_monitors.size(); ++i)
    same = before.remote_monitors[i].address == config_.remote_monitors[i].address;
  if (same) return;
  remote_ = {};
  remote_known_ = remote_reached_ = 0;
}

void Health::link(const LinkChanged& change, Instant now) {
  if (change.interface >= config_.data_interfaces.size()) return;
  Interface& interface = interfaces_[change.interface];
  const bool first = !interface.reported;
  if (first) ++reported_;
  interface.reported = true;
  interface.present = change.present;
  const bool up = change.present && change.up;
  const std::uint64_t told = up ? bounded_speed(change.speed_mbps) : 0;
  // A device that is gone names no speed: what it had counts on, so that it is missed.
  if (change.full_speed_mbps != 0 || interface.full_speed_mbps == 0)
    interface.full_speed_mbps = bounded_speed(change.full_speed_mbps);
  interface.full_speed_mbps = std::max(interface.full_speed_mbps, told);
  if (first || told != interface.told_mbps) {
    const bool falls = !first && told < interface.told_mbps;
    // Several falls in a row are one bounce: the members of a LAG go one after the other.
    if (falls && !interface.fell)
      interface.bounces.note(now - interface.counts_at(), kFreeBounces, config_.flap_backoff,
                             config_.flap_backoff_max);
    interface.fell = falls;
    interface.told_mbps = told;
    interface.changed_at = now;
  }
  if (first || interface.told_mbps < interface.speed_mbps) interface.count();
  settle(now);
}

void Health::remote(const RemoteMonitorsChanged& change, Instant now) {
  for (std::size_t i = 0; i < config_.remote_monitors.size(); ++i) {
    Remote& remote = remote_[i];
    const bool known = change.known >> i & 1;
    const bool reached = known && (change.reached >> i & 1);
    if (remote.known == known && remote.reached == reached) continue;
    remote = {known, reached, now};
    remote_known_ &= ~(std::uint32_t{1} << i);
  }
  settle(now);
}

Instant Health::settled_at(std::size_t monitor) const {
  return remote_[monitor].since + config_.remote_monitors[monitor].settle;
}

void Health::settle(Instant now) {
  for (std::size_t i = 0; i < config_.data_interfaces.size(); ++i) {
    Interface& interface = interfaces_[i];
    if (interface.told_mbps > interface.speed_mbps && now >= interface.counts_at())
      interface.count();
  }
  for (std::size_t i = 0; i < config_.remote_monitors.size(); ++i) {
    const std::uint32_t bit = std::uint32_t{1} << i;
    if (!remote_[i].known || (remote_known_ & bit) != 0 || now < settled_at(i)) continue;
    remote_known_ |= bit;
    remote_reached_ = remote_[i].reached ? remote_reached_ | bit : remote_reached_ & ~bit;
  }
}

Instant Health::next_change() const {
  Instant next = Instant::max();
  for (std::size_t i = 0; i < config_.data_interfaces.size(); ++i)
    if (interfaces_[i].told_mbps > interfaces_[i].speed_mbps)
      next = std::min(next, interfaces_[i].counts_at());
  for (std::size_t i = 0; i < config_.remote_monitors.size(); ++i)
    if (remote_[i].known && (remote_known_ >> i & 1) == 0) next = std::min(next, settled_at(i));
  return next;
}

std::optional<Health::Held> Health::held() const {
  std::optional<Held> longest;
  for (std::size_t i = 0; i < config_.data_interfaces.size(); ++i) {
    const Interface& interface = interfaces_[i];
    if (interface.told_mbps <= interface.speed_mbps) continue;
    if (longest && interface.counts_at() <= longest->until) continue;
    longest = Held{shown_name(i), interface.counts_at(), interface.bounces.count()};
  }
  return longest;
}

HealthVector Health::vector_without_backoff(Forced forced) const {
  Health all = *this;
  for (Interface& interface : all.interfaces_) interface.count();
  return all.vector(forced);
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
  vector.remote_known = remote_known_;
  vector.remote_reached = remote_reached_ & remote_known_;
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
  assumed.told_mbps = up ? assumed.full_speed_mbps : 0;
  assumed.count();
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
