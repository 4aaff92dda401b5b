#include "agent/daemon/announcements.hpp"

#include <array>

#include "platform/linux/clock.hpp"
#include "platform/linux/sysctl.hpp"

namespace hotpair::daemon {
namespace {

constexpr std::array<Duration, 4> kEarlyPauses{3ms, 10ms, 30ms, 60ms};

}  // namespace

std::vector<sys::Announcement> announcements_for(
    const std::vector<FloatingAddress>& addresses, const std::vector<bool>& held,
    const FindDevice& find, const std::function<bool(const std::string&)>& router) {
  std::vector<sys::Announcement> list;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto device = held.at(i) ? find(addresses[i].device) : std::nullopt;
    if (!device || device->mac == sys::MacAddress{}) continue;
    sys::Announcement announcement;
    announcement.ifindex = device->ifindex;
    announcement.mac = device->mac;
    announcement.address = to_interface_address(addresses[i], device->ifindex).prefix.address;
    announcement.router = addresses[i].address.ipv6 && router(addresses[i].device);
    list.push_back(announcement);
  }
  return list;
}

bool forwards_ipv6(const std::string& device) {
  const auto forwards = sys::read_sysctl_number("net/ipv6/conf/" + device + "/forwarding");
  return forwards && *forwards != 0;
}

void Announcements::start(int count, Duration interval, bool early) {
  stop();
  left_ = count;
  early_left_ = early ? kEarlyPauses.size() : 0;
  interval_ = interval;
  began_ = sys::now();
  send();
}

void Announcements::stop() {
  loop_.cancel(timer_);
  timer_ = 0;
  left_ = 0;
}

void Announcements::send() {
  timer_ = 0;
  const auto list = list_();
  if (announcer_.send(list) < list.size())
    log_.warning("announce-failed", "an announcement did not leave: " + announcer_.last_error());
  if (const Duration pause = pause_until_next(); pause > Duration{})
    timer_ = loop_.call_at(sys::now() + pause, [this] { send(); });
}

Duration Announcements::pause_until_next() {
  if (early_left_ > 0 && left_ > 0) return kEarlyPauses[kEarlyPauses.size() - early_left_--];
  if (left_ > 0 && --left_ > 0) return interval_;
  if (!alone_()) return {};
  return sys::now() - began_ < kOften ? kAgain : kAgainLater;
}

}  // namespace hotpair::daemon
