// Gratuitous ARP and unsolicited neighbour advertisements for what is held, repeated: a switch or
// neighbour that missed the first (its port was still down, its table busy) learns from a later
// one. And on, for as long as nothing is heard of the other node: a box that stood still as primary
// wakes with requests for its addresses waiting in its queues, and answers before anything can take
// them away; a neighbour that believes it would try for five seconds.
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

  // alone(): nothing is heard of the other node.
  Announcements(sys::EventLoop& loop, sys::Announcer announcer, Log log, List list,
                std::function<bool()> alone)
      : loop_(loop),
        announcer_(std::move(announcer)),
        log_(std::move(log)),
        list_(std::move(list)),
        alone_(std::move(alone)) {}
  ~Announcements() { stop(); }

  // The first at once, `count` in all; begins anew when it was under way. `early`: some more within
  // the first tenth of a second, for a MAC address that the node before has just given up: what its
  // kernel still sends from it draws the switch back.
  void start(int count, Duration interval, bool early);
  void stop();

  // While alone, after the others: often for a time, then seldom, to leave the network in peace.
  static constexpr Duration kAgain = 1s, kOften = 60s, kAgainLater = 10s;

 private:
  void send();
  Duration pause_until_next();  // 0: there is none

  sys::EventLoop& loop_;
  sys::Announcer announcer_;
  Log log_;
  List list_;
  std::function<bool()> alone_;
  int left_ = 0;
  std::size_t early_left_ = 0;
  Duration interval_{};
  Instant began_;
  sys::TimerId timer_ = 0;
};

}  // namespace hotpair::daemon
