// Datagrams exchanged with one address over UDP, with the kernel's receive times.
//
// Bound to an address that need not be there yet (IP_FREEBIND): a management network may come up
// after us. What comes from anybody but the peer is dropped and counted; its port is not compared,
// so that a translation between the two does no harm. send() may be called from any thread,
// everything else belongs to one. Sources: ip(7), ipv6(7), udp(7), SO_TIMESTAMPNS in socket(7).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

struct UdpOptions {
  IpAddress local, peer;   // of one family
  std::uint16_t port = 0;  // ours and the peer's
};

struct UdpCounters {
  std::uint64_t received = 0;   // delivered to the caller
  std::uint64_t foreign = 0;    // from another address than the peer's
  std::uint64_t truncated = 0;  // longer than 2048 bytes
};

class UdpChannel {
 public:
  using Callback = std::function<void(Bytes payload, Instant heard_at)>;

  static Result<std::unique_ptr<UdpChannel>> open(const UdpOptions& options);

  int fd() const { return socket_.get(); }  // for epoll, level-triggered
  // Reads at most `max` datagrams that wait, without blocking.
  void receive(const Callback& callback, std::size_t max = 64);
  // One datagram to the peer; never blocks. False: it did not leave (no route, no such address
  // yet).
  bool send(Bytes payload) const;

  const UdpOptions& options() const { return options_; }
  const UdpCounters& counters() const { return counters_; }

 private:
  UdpChannel(FileDescriptor socket, const UdpOptions& options)
      : socket_(std::move(socket)), options_(options) {}
  bool receive_one(const Callback& callback);

  FileDescriptor socket_;
  UdpOptions options_;
  UdpCounters counters_;
  WallClockMapper mapper_;
  std::array<std::uint8_t, 2048> buffer_{};
};

}  // namespace hotpair::sys
