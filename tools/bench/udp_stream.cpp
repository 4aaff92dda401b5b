#include "tools/bench/udp_stream.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <netinet/in.h>

#include "platform/base/bytes.hpp"
#include "platform/linux/system_error.hpp"
#include "tools/bench/report.hpp"

namespace hotpair::bench {
namespace {

constexpr std::uint64_t kMagic = 0x686f747061697221;  // tells our echoes from strays
constexpr std::size_t kDatagram = 64;
constexpr int kPerTurn = 256;  // datagrams read before the sender has its turn
constexpr std::size_t kMostNumbers = std::size_t{1} << 26;  // 18 hours at 1 ms

std::chrono::nanoseconds kernel_timestamp(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPNS) continue;
    timespec time{};
    std::memcpy(&time, CMSG_DATA(part), sizeof time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
  return sys::wall_clock();
}

}  // namespace

Result<UdpStream> UdpStream::open(const Endpoint& server) {
  auto fd = open_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  const int on = 1;
  (void)setsockopt(fd->get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (connect(fd->get(), server.address(), server.size) != 0)
    return sys::fail_errno("no route to the server", errno);
  return UdpStream(std::move(*fd), server.family());
}

void UdpStream::send(Instant now) {
  std::array<std::uint8_t, kDatagram> datagram{};
  store_be<std::uint64_t>(datagram.data(), kMagic);
  store_be<std::uint64_t>(datagram.data() + 8, next_);
  // A refusal (an ICMP error of an earlier datagram, a full queue) is a datagram that never
  // returns.
  (void)::send(fd_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL);
  ++next_;
  pauses_.heard(now);
}

void UdpStream::receive() {
  for (int turn = 0; turn < kPerTurn; ++turn) {
    std::array<std::uint8_t, kDatagram> datagram;
    alignas(cmsghdr) std::array<char, 128> control;
    iovec part{datagram.data(), datagram.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = recvmsg(fd_.get(), &message, 0);
    if (got < 0 && errno != EAGAIN && errno != EINTR) continue;  // a queued ICMP error, now read
    if (got < 0) return;
    if (got != static_cast<ssize_t>(kDatagram) || load_be<std::uint64_t>(datagram.data()) != kMagic)
      continue;
    returned(load_be<std::uint64_t>(datagram.data() + 8),
             clock_.to_instant(kernel_timestamp(message)));
  }
}

void UdpStream::returned(std::uint64_t number, Instant at) {
  if (!ended_) silence_.heard(at);
  if (number < window_first_ || number >= next_ || (ended_ && number >= window_end_)) return;
  const std::size_t place = static_cast<std::size_t>(number - window_first_);
  if (place >= kMostNumbers) return;
  if (place >= seen_.size()) seen_.resize(std::max(place + 1, 2 * seen_.size()));
  if (seen_[place]) return;
  seen_[place] = true;
  ++returned_;
}

void UdpStream::begin_window(Instant now) {
  window_first_ = next_;
  ended_ = false;
  seen_.clear();
  returned_ = 0;
  window_began_ = now;
  silence_.begin(now);
  pauses_.begin(now);
}

void UdpStream::end_window(Instant now) {
  silence_.count_until(now);
  pauses_.count_until(now);
  window_end_ = next_;
  ended_ = true;
}

nlohmann::json UdpStream::report() const {
  return {{"family", family_},
          {"sent", window_sent()},
          {"received", returned_},
          {"lost", window_sent() - returned_},
          {"longest_silence_ms", milliseconds(silence_.longest())},
          {"silence_began_ms", milliseconds(silence_.longest_began() - window_began_)},
          {"longest_send_pause_ms", milliseconds(pauses_.longest())}};
}

}  // namespace hotpair::bench
