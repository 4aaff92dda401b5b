#include "tools/bench/tcp_flow.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "platform/base/bytes.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::bench {
namespace {

constexpr std::size_t kMessage = 64;

std::array<std::uint8_t, kMessage> message(std::uint64_t number) {
  std::array<std::uint8_t, kMessage> bytes{};
  for (std::size_t at = 0; at < kMessage; at += 8)
    store_be<std::uint64_t>(bytes.data() + at, number + at);
  return bytes;
}

}  // namespace

Result<TcpFlow> TcpFlow::open(const Endpoint& server) {
  auto fd = open_socket(server, SOCK_STREAM);
  if (!fd) return fail(fd.error());
  if (connect(fd->get(), server.address(), server.size) != 0 && errno != EINPROGRESS)
    return sys::fail_errno("cannot connect to the server", errno);
  return TcpFlow(std::move(*fd));
}

void TcpFlow::ready(Instant now) {
  if (state_ == State::connecting) finish_connect();
  if (state_ == State::open) read_echo(now);
}

void TcpFlow::ping(Instant now) {
  if (state_ != State::open || waiting_since_) return;
  const auto bytes = message(++number_);
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes.size()))
    return die(sent < 0 ? sys::errno_text(errno) : "the send buffer is full");
  waiting_since_ = now;
  echoed_ = 0;
}

void TcpFlow::finish_connect() {
  int error = 0;
  socklen_t size = sizeof error;
  (void)getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return die(sys::errno_text(error));
  state_ = State::open;
}

void TcpFlow::read_echo(Instant now) {
  std::array<std::uint8_t, 2 * kMessage> bytes;
  const ssize_t got = recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return die(sys::errno_text(errno));
  if (got == 0) return die("closed by the server");
  const auto expected = message(number_);
  const auto count = static_cast<std::size_t>(got);
  if (!waiting_since_ || echoed_ + count > kMessage ||
      !std::equal(bytes.begin(), bytes.begin() + got,
                  expected.begin() + static_cast<std::ptrdiff_t>(echoed_)))
    return die("the echo is not what was sent");
  echoed_ += count;
  if (echoed_ < kMessage) return;
  longest_ = std::max(longest_, now - *waiting_since_);
  last_proven_ = waiting_since_;
  waiting_since_.reset();
  ++exchanges_;
}

void TcpFlow::begin_window() {
  longest_ = Duration::zero();
  exchanges_ = 0;
}

Duration TcpFlow::longest_wait(Instant now) const {
  return waiting_since_ && !dead() ? std::max(longest_, now - *waiting_since_) : longest_;
}

void TcpFlow::die(std::string reason) {
  state_ = State::dead;
  reason_ = std::move(reason);
}

}  // namespace hotpair::bench
