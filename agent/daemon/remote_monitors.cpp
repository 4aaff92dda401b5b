#include "agent/daemon/remote_monitors.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

constexpr Duration kWitnessInterval = 200ms;
constexpr int kWitnessLost = 3;

bool within(const sys::IpAddress& address, const config::AddressPrefix& prefix) {
  if (prefix.ipv6 != address.ipv6) return false;
  const auto subnet = [&](const std::array<std::uint8_t, 16>& bytes) {
    return sys::subnet_of({{address.ipv6, bytes}, prefix.prefix_length}).address;
  };
  return subnet(address.bytes) == subnet(prefix.address);
}

bool link_local(const sys::IpAddress& address) {
  return address.ipv6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}

bool on_link(const config::ClusterFile& cluster, const std::string& interface,
             const sys::IpAddress& address) {
  const auto holds = [&](const std::vector<config::AddressPrefix>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const auto& prefix) { return within(address, prefix); });
  };
  if (link_local(address)) return true;
  for (const auto& redundant : cluster.redundant_interfaces)
    if (redundant.interface == interface && holds(redundant.addresses)) return true;
  const auto& management = cluster.management;
  return management && management->interface == interface && holds(management->addresses);
}

}  // namespace

ProbeTarget probe_target(const config::Config& config, const config::RemoteMonitor& monitor) {
  ProbeTarget target;
  target.address = sys::parse_ip(monitor.address).value_or(sys::IpAddress{});
  target.device = config.node.device(monitor.interface);
  target.interval = monitor.interval;
  target.lost = monitor.lost;
  if (on_link(config.cluster, monitor.interface, target.address))
    target.method = target.address.ipv6 ? ProbeMethod::neighbour : ProbeMethod::arp;
  return target;
}

RemoteMonitors::~RemoteMonitors() {
  for (const auto& watched : watched_) prober_.stop(watched.probe);
}

void RemoteMonitors::configure(const config::Config& config) {
  auto before = std::exchange(watched_, {});
  for (const auto& monitor : config.cluster.monitor.remote) {
    Watched watched{monitor, probe_target(config, monitor), 0};
    for (auto& old : before)
      if (watched.probe == 0 && old.target == watched.target)
        watched.probe = std::exchange(old.probe, 0);
    if (watched.probe == 0) watched.probe = prober_.start(watched.target, {[this] { tell(); }, {}});
    watched_.push_back(std::move(watched));
  }
  const bool any = !before.empty() || !watched_.empty();
  for (const auto& old : before) prober_.stop(old.probe);
  if (any) tell();
}

void RemoteMonitors::tell() {
  agent::RemoteMonitorsChanged state{0, 0};
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    const Reached reached = prober_.view(watched_[i].probe).reached;
    if (reached != Reached::unknown) state.known |= 1u << i;
    if (reached == Reached::yes) state.reached |= 1u << i;
  }
  emit_(state);
}

std::vector<RemoteMonitorRow> RemoteMonitors::rows() const {
  std::vector<RemoteMonitorRow> rows;
  for (const auto& watched : watched_) {
    const auto view = prober_.view(watched.probe);
    rows.push_back({watched.monitor.address, watched.monitor.interface,
                    to_string(watched.target.method), view.reached, view.last_answer,
                    watched.monitor.weight, view.trouble});
  }
  return rows;
}

void Witness::configure(const std::string& address) {
  if (address == address_) return;
  prober_.stop(std::exchange(probe_, 0));
  address_ = address;
  const auto parsed = sys::parse_ip(address);
  if (!parsed) return;
  ProbeTarget target;
  target.address = *parsed;
  target.interval = kWitnessInterval;
  target.lost = kWitnessLost;
  probe_ = prober_.start(target, {[this] {
                                    if (prober_.view(probe_).reached == Reached::no)
                                      emit_(agent::WitnessChanged{false});
                                  },
                                  [this] { answered(); }});
}

// One that was received long ago, while this program stood still, proves nothing any more.
void Witness::answered() {
  if (sys::now() - *prober_.view(probe_).last_answer <= kWitnessLost * kWitnessInterval)
    emit_(agent::WitnessChanged{true});
}

}  // namespace hotpair::daemon
