// One verification that the neighbours send to us: which of them are asked when, who answered.
// Pure.
//
// Asked at once and, while it is silent, again after 100, 300, 700 and 1500 ms, each time behind an
// announcement to it alone; given up after 2.5 s. An answer that reaches us proves that neighbour
// and switch have learnt where the address is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/base/time.hpp"
#include "platform/linux/announce.hpp"
#include "platform/linux/netlink_neigh.hpp"

namespace hotpair::daemon {

constexpr std::size_t kMostProbed = 64;

// An address held, to be defended and to ask from.
struct OwnedAddress {
  sys::Announcement announcement;
  sys::IpPrefix prefix;
  std::string device;
};

struct ProbeOutcome {
  std::size_t asked = 0, answered = 0;
  Duration took{};                  // until the last answer
  std::vector<std::string> silent;  // "192.0.2.7 on lan"
};

class ProbeRound {
 public:
  struct Question {
    std::size_t owned = 0;  // index: in whose name
    sys::Neighbour to;
  };
  struct Sending {
    std::size_t question = 0;
    bool announce = false;  // again, first
  };

  // Neighbours to which no address of the same subnet and device belongs are not asked.
  ProbeRound(const std::vector<OwnedAddress>& owned, const std::vector<sys::Neighbour>& neighbours,
             Instant now);

  std::vector<Sending> take_due(Instant now);
  void heard(int ifindex, const sys::IpAddress& address, Instant now);
  Instant next() const;  // when to look again
  bool over(Instant now) const;

  const Question& question(std::size_t index) const { return entries_.at(index).question; }
  ProbeOutcome outcome(const std::vector<OwnedAddress>& owned) const;

 private:
  struct Entry {
    Question question;
    std::size_t sent = 0;
    bool answered = false;
  };
  Instant began_;
  Instant last_answer_;
  std::vector<Entry> entries_;
};

}  // namespace hotpair::daemon
