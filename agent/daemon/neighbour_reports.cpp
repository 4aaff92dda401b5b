#include "agent/daemon/neighbour_reports.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

constexpr std::size_t kMostNamed = 5;

std::string named(const std::vector<std::string>& silent) {
  std::string text;
  for (std::size_t i = 0; i < std::min(silent.size(), kMostNamed); ++i)
    text += (i == 0 ? "" : ", ") + silent[i];
  if (silent.size() > kMostNamed)
    text += " and " + std::to_string(silent.size() - kMostNamed) + " more";
  return text;
}

}  // namespace

std::vector<OwnedAddress> owned_addresses(const std::vector<FloatingAddress>& addresses,
                                          const std::vector<bool>& held, const FindDevice& find,
                                          const std::function<bool(const std::string&)>& router) {
  std::vector<OwnedAddress> list;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto device = held.at(i) ? find(addresses[i].device) : std::nullopt;
    if (!device || device->mac == sys::MacAddress{}) continue;
    OwnedAddress owned;
    owned.prefix = to_interface_address(addresses[i], device->ifindex).prefix;
    owned.device = addresses[i].device;
    owned.announcement = {device->ifindex, device->mac, owned.prefix.address,
                          owned.prefix.address.ipv6 && router(addresses[i].device)};
    list.push_back(std::move(owned));
  }
  return list;
}

NeighbourReports::NeighbourReports(sys::EventLoop& loop, Log log) : log_(std::move(log)) {
  auto started = NeighbourWatch::start(
      {loop, [this](const auto& outcome) { verified(outcome); },
       [this](const auto& claimed) { conflict(claimed); },
       [this](const std::string& why) { log_.warning("neighbours-unheard", why); }});
  if (started)
    watch_ = std::move(started).value();
  else
    log_.warning("neighbours-unheard", started.error().message);
}

void NeighbourReports::announced(std::vector<OwnedAddress> held) {
  if (watch_) watch_->watch(std::move(held));
}

void NeighbourReports::withdrawn() {
  conflicts_.clear();
  if (watch_) watch_->watch({});
}

void NeighbourReports::verified(const ProbeOutcome& outcome) {
  const double took_ms = static_cast<double>(to_us(outcome.took)) / 1000.0;
  last_ = {{"asked", outcome.asked},
           {"answered", outcome.answered},
           {"took_ms", took_ms},
           {"time", sys::wall_clock_text()},
           {"silent", outcome.silent}};
  char time[32];
  std::snprintf(time, sizeof time, "%.1f ms", took_ms);
  const std::string text = std::to_string(outcome.answered) + " of " +
                           std::to_string(outcome.asked) + " neighbours answered" +
                           (outcome.answered > 0 ? std::string(" in ") + time : std::string());
  const std::initializer_list<LogField> fields = {{"asked", outcome.asked},
                                                  {"answered", outcome.answered}};
  if (outcome.silent.empty()) return log_.info("neighbours-answered", text, fields);
  const std::string rest = text + "; silent: " + named(outcome.silent);
  // One that left the network is silent too; when all are, the network does not know us.
  if (outcome.answered > 0) return log_.info("neighbours-answered", rest, fields);
  log_.warning("neighbours-silent",
               rest +
                   "; does the switch accept the MAC address here? See its port security and "
                   "'ip neigh'",
               fields);
}

void NeighbourReports::conflict(const AddressConflict& conflict) {
  const Instant now = sys::now();
  const std::string text = sys::to_text(conflict.address) + " on " + conflict.device +
                           " is also claimed by the station " + sys::to_text(conflict.mac);
  const auto [known, fresh] = conflicts_.try_emplace(
      sys::to_text(conflict.address) + " " + conflict.device, Conflict{text, now, now});
  known->second.text = text;
  known->second.seen = now;
  if (!fresh && now - known->second.logged < kConflictMemory) return;
  known->second.logged = now;
  log_.error("address-conflict",
             text +
                 ": two answer for one address; find it in the switch's table and take the "
                 "address from it",
             {{"address", sys::to_text(conflict.address)}, {"mac", sys::to_text(conflict.mac)}});
}

std::vector<std::string> NeighbourReports::warnings(Instant now) const {
  std::vector<std::string> list;
  for (const auto& [key, conflict] : conflicts_)
    if (now - conflict.seen < kConflictMemory)
      list.push_back(conflict.text + ": two answer for one address; find it in the switch's table");
  return list;
}

}  // namespace hotpair::daemon
