// By which of several session-sync ports frames leave, and how long they may be. Each node says
// hello on every port and in it whether it hears the other's there; a port on which both hear each
// other is proven. Pure: links, hellos and time in, a choice out. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "platform/base/bytes.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dpdk {

// The body of a hello (dataplane/WIRE.md).
struct Hello {
  static constexpr std::size_t kSize = 6;
  std::uint8_t port = 0;      // the sender's, in its order of preference
  bool heard = false;         // the sender hears the receiver on this wire
  bool several = false;       // the sender has several ports, and wants quick answers
  std::uint16_t takes = 0;    // bytes of the longest frame that the sender's port takes
  std::uint16_t longest = 0;  // bytes of the longest hello the sender got on this wire of late

  void write(MutableBytes out) const;  // kSize bytes
  static std::optional<Hello> read(Bytes body);
};

class PortChoice {
 public:
  static constexpr Duration kQuick = 100ms, kSlow = 1s;  // between two hellos
  static constexpr Duration kSilence = 350ms;            // of a port that was proven
  static constexpr Duration kRecent = 3500ms;            // of long hellos, and of a peer's wishes
  static constexpr Duration kSettled = 2s;  // a better port is proven for so long before it is used
  static constexpr std::size_t kStandardFrame = 1514;  // passes whatever lies between the nodes

  // The longest frame of each port, by preference.
  explicit PortChoice(const std::vector<std::size_t>& longest_of_ports);

  void on_link(std::size_t port, bool up, std::size_t longest);
  // `frame`: bytes of the frame it came in.
  void on_hello(std::size_t port, const Hello& hello, std::size_t frame, Instant now);
  // True when the choice became another one.
  bool decide(Instant now);

  std::size_t chosen() const { return chosen_; }
  std::size_t room(Instant now) const;  // bytes of a frame by the chosen port
  bool up(std::size_t port) const { return ports_[port].up; }
  bool heard(std::size_t port, Instant now) const;
  bool proven(std::size_t port, Instant now) const;

  // Whether hellos are to be said at all, and how often: alone with one port of the standard size
  // there is nothing to find out, unless the peer asks.
  bool speaks(Instant now) const;
  Duration interval(Instant now) const;
  Hello hello(std::size_t port, Instant now) const;
  // Of the long hello that is to be tried now and then; none above the standard: there is none.
  std::size_t long_hello(std::size_t port, Instant now) const;

 private:
  struct Port {
    bool up = false;
    std::size_t longest = kStandardFrame;  // that the port takes
    std::optional<Instant> heard_at, long_heard_at, settling_since;
    Hello last;
    std::size_t long_heard = 0;
  };
  static bool since(const std::optional<Instant>& at, Duration limit, Instant now) {
    return at && now - *at <= limit;
  }
  std::optional<std::size_t> best(Instant now) const;

  std::vector<Port> ports_;
  std::size_t chosen_ = 0;
  std::optional<Instant> asked_at_, hurried_at_;
};

}  // namespace hotpair::dpdk
