#include "platform/linux/message_stream.hpp"

#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "platform/linux/clock.hpp"

namespace hotpair::sys {
namespace {

constexpr std::size_t kHeaderSize = 5;
constexpr std::size_t kReadATurn = 64 * 1024;

// False at the deadline.
bool wait_for(int fd, short events, Instant deadline) {
  for (;;) {
    const Duration left = std::max<Duration>(deadline - now(), Duration::zero());
    const timespec timeout{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    pollfd waited{fd, events, 0};
    const int ready = ::ppoll(&waited, 1, &timeout, nullptr);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace

bool write_all(int fd, Bytes bytes, Duration timeout) {
  const Instant deadline = now() + timeout;
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for(fd, POLLOUT, deadline)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool read_all(int fd, MutableBytes out, Duration timeout) {
  const Instant deadline = now() + timeout;
  while (!out.empty()) {
    if (!wait_for(fd, POLLIN, deadline)) return false;
    const ssize_t got = ::recv(fd, out.data(), out.size(), MSG_DONTWAIT);
    if (got > 0) {
      out = out.subspan(static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return false;
    }
  }
  return true;
}

MessageStream::MessageStream(FileDescriptor socket, std::size_t max_payload)
    : socket_(std::move(socket)), max_payload_(max_payload) {
  ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
}

MessageStream::Outcome MessageStream::send(std::uint8_t type, std::string_view payload,
                                           Duration timeout) {
  return send(type, Bytes(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size()),
              timeout);
}

MessageStream::Outcome MessageStream::send(std::uint8_t type, Bytes payload, Duration timeout) {
  if (payload.size() > max_payload_) return Outcome::too_long;
  std::vector<std::uint8_t> whole(kHeaderSize + payload.size());
  ByteWriter writer(whole);
  writer.u8(type);
  writer.u32(static_cast<std::uint32_t>(payload.size()));
  writer.put(payload);
  return write_all(fd(), whole, timeout) ? Outcome::done : Outcome::closed;
}

MessageStream::Outcome MessageStream::receive(Message& message, Duration timeout) {
  const Instant deadline = now() + timeout;
  for (;;) {
    Outcome outcome = Outcome::done;
    if (take(message, outcome)) return outcome;
    if (!wait_for(fd(), POLLIN, deadline)) return Outcome::timed_out;
    const std::size_t before = in_.size();
    in_.resize(before + kReadATurn);
    const ssize_t got = ::recv(fd(), in_.data() + before, kReadATurn, MSG_DONTWAIT);
    in_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return Outcome::closed;
  }
}

bool MessageStream::take(Message& message, Outcome& outcome) {
  const Bytes waiting = Bytes(in_).subspan(used_);
  if (waiting.size() >= kHeaderSize) {
    const auto size = load_be<std::uint32_t>(waiting.data() + 1);
    if (size > max_payload_) {
      outcome = Outcome::too_long;
      return true;
    }
    if (waiting.size() >= kHeaderSize + size) {
      message.type = waiting[0];
      const Bytes payload = waiting.subspan(kHeaderSize, size);
      message.payload.assign(payload.begin(), payload.end());
      used_ += kHeaderSize + size;
      return true;
    }
  }
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ = 0;
  return false;
}

}  // namespace hotpair::sys
