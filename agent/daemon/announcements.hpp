// Gratuitous ARP and unsolicited neighbour advertisements for what is held, repeated: a switch or
// neighbour that missed the first (its port was still down, its table busy) learns from a later
// one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/daemon/address_operations.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/announce.hpp"
#include "platform/linux/event_loop.hpp"

namespace hotpair::daemon {

// One for each held address whose device exists and has an Ethernet address. `router` says whether
// a device forwards IPv6.
std::vector<sys::Announcement> announcements_for(
    const std::vector<FloatingAddress>& addresses, const std::vector<bool>& held,
    const FindDevice& find, const std::function<bool(const std::string&)>& router);

bool forwards_ipv6(const std::string& device);

class Announcements {
 public:
  using List = std::function<std::vector<sys::Announcement>()>;

  Announcements(sys::EventLoop& loop, sys::Announcer announcer, Log log, List list)
      : loop_(loop),
        announcer_(std::move(announcer)),
        log_(std::move(log)),
        list_(std::move(list)) {}
  ~Announcements() { stop(); }

  // The first at once, `count` in all; begins anew when it was under way. `early`: some more within
  // the first tenth of a second, for a MAC address that the node before has just given up: what its
  // kernel still sends from it draws the switch back.
  void start(int count, Duration interval, bool early);
  void stop();

 private:
  void send();

  sys::EventLoop& loop_;
  sys::Announcer announcer_;
  Log log_;
  List list_;
  int left_ = 0;
  std::size_t early_left_ = 0;
  Duration interval_{};
  sys::TimerId timer_ = 0;
};

}  // namespace hotpair::daemon
