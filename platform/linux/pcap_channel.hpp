// Raw Ethernet frames of one ethertype over one device, through libpcap.
//
// With `destination_prefix` set, frames to such addresses are delivered whatever their ethertype.
// Frames with that ethertype are delivered whatever VLAN tag they carry, one, two or none, so that
// the caller can name a wrong tag. The kernel strips the outer tag into metadata; libpcap puts it
// back, and FrameView shows the frame as it was on the wire. What we send ourselves does not come
// back. Receive times are the kernel's. A channel belongs to one thread: one that only sends
// (`receive` false) may be opened beside it for another thread. Needs CAP_NET_RAW.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

struct FrameView {  // valid during the callback only
  Bytes frame;      // from the destination address on, tags included
  MacAddress destination{}, source{};
  std::optional<std::uint16_t> vlan;  // of the outer tag, 0-4095 (0: a priority tag)
  std::uint8_t pcp = 0;               // of the outer tag
  std::uint8_t tags = 0;              // 0-2
  std::uint16_t ethertype = 0;        // behind the tags
  Bytes payload;                      // behind the ethertype; padding of short frames included
  Instant heard_at;
};

struct PcapOptions {
  std::string device;
  std::uint16_t ethertype = 0x9890;
  // First four bytes of the destination, big-endian: lets the caller name a wrong ethertype too.
  std::optional<std::uint32_t> destination_prefix;
  int snaplen = 1600;       // longer frames are cut, counted and not delivered
  bool promiscuous = true;  // multicast and foreign VLANs pass the NIC's filters
  bool receive = true;      // false: a channel for sending alone
  // SO_PRIORITY of what is sent. 7 stands in the first band of the default queueing discipline:
  // heartbeats pass ahead of what waits.
  int priority = 7;
  int buffer_bytes = 512 * 1024;
};

struct PcapCounters {
  std::uint64_t received = 0;  // delivered to the caller
  std::uint64_t sent = 0, send_errors = 0;
  std::uint64_t truncated = 0;  // longer than the snaplen
  std::uint64_t malformed = 0;  // too short for the headers they claim
  std::uint64_t dropped = 0;    // by the kernel: the buffer was full (pcap_stats)
};

class PcapChannel {
 public:
  using Callback = std::function<void(const FrameView&)>;

  // Fails when the device is missing or we may not; one that is down can be opened and comes alive
  // later.
  static Result<std::unique_ptr<PcapChannel>> open(const PcapOptions& options);
  ~PcapChannel();

  int fd() const;  // for epoll, level-triggered
  // Delivers at most `max` frames that wait, without blocking; returns how many. An error: the
  // device is gone; close this channel and open a new one when the link monitor reports the device
  // again. A device that was merely taken down yields 0 and goes on when it is up again.
  Result<std::size_t> receive(const Callback& callback, std::size_t max = 64);
  // One frame from the destination address on; never blocks. Fails while the device is down.
  Status send(Bytes frame);
  const PcapCounters& counters();  // refreshed by the call

 private:
  struct State;
  explicit PcapChannel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A captured frame taken apart; none when it is shorter than the headers it claims. Pure, for
// fuzzing.
std::optional<FrameView> dissect_frame(Bytes frame);

}  // namespace hotpair::sys
