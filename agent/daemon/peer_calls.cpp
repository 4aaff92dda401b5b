#include "agent/daemon/peer_calls.hpp"

#include <sys/socket.h>

namespace hotpair::daemon {
namespace {

constexpr const char* kEnds = "hotpaird ends";

}  // namespace

// Closed under the lock: its number means another descriptor afterwards.
void PeerCalls::HangUp::operator()(sys::MessageStream* stream) const {
  const std::lock_guard lock(calls->mutex_);
  calls->open_.erase(stream->fd());
  std::default_delete<sys::MessageStream>()(stream);
}

Result<PeerCalls::Call> PeerCalls::dial() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return fail_with(kEnds);
  }
  auto socket = dial_();
  if (!socket) return fail(socket.error());
  auto stream = std::make_unique<sys::MessageStream>(std::move(socket).value(), max_payload_);
  const std::lock_guard lock(mutex_);
  if (ended_) return fail_with(kEnds);
  open_.insert(stream->fd());
  return Call(stream.release(), HangUp{this});
}

void PeerCalls::cut() {
  const std::lock_guard lock(mutex_);
  for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
}

void PeerCalls::end() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  cut();
}

}  // namespace hotpair::daemon
