// One TCP connection to an echo server with a small exchange at a time, and how long it ever
// waited.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "tools/bench/endpoint.hpp"

namespace hotpair::bench {

class TcpFlow {
 public:
  static Result<TcpFlow> open(const Endpoint& server);

  int fd() const { return fd_.get(); }
  void ready(Instant now);  // readable, writable or broken: find out which and act
  void ping(Instant now);   // begins an exchange, unless one is under way

  bool connected() const { return state_ == State::open; }
  bool dead() const { return state_ == State::dead; }
  const std::string& reason() const { return reason_; }

  void begin_window();  // waits that began earlier count when they end
  std::uint64_t exchanges() const { return exchanges_; }
  Duration longest_wait(Instant now) const;
  // An exchange that began at or after `at` is complete: proof of life.
  bool proven_since(Instant at) const { return last_proven_ && *last_proven_ >= at; }

 private:
  enum class State : std::uint8_t { connecting, open, dead };
  explicit TcpFlow(sys::FileDescriptor fd) : fd_(std::move(fd)) {}
  void finish_connect();
  void read_echo(Instant now);
  void die(std::string reason);

  sys::FileDescriptor fd_;
  State state_ = State::connecting;
  std::string reason_;
  std::uint64_t number_ = 0;              // of the exchange under way or last done
  std::optional<Instant> waiting_since_;  // an exchange is under way
  std::size_t echoed_ = 0;                // bytes of it that came back
  std::optional<Instant> last_proven_;    // when the last complete exchange began
  Duration longest_{};
  std::uint64_t exchanges_ = 0;
};

}  // namespace hotpair::bench
