// Connections to the peer that one engine begins, and their end from elsewhere: whoever waits for
// the peer's answer hears at once that the peer is gone or that the agent ends. The other end hears
// of a call's end as soon as it is let go. Any thread; a call belongs to one at a time.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "platform/base/result.hpp"
#include "platform/linux/message_stream.hpp"

namespace hotpair::daemon {

class PeerCalls {
 public:
  // A connection to the peer that has proven itself; blocks for some seconds at most.
  using Dial = std::function<Result<sys::FileDescriptor>()>;
  struct HangUp {
    PeerCalls* calls = nullptr;
    void operator()(sys::MessageStream* stream) const;
  };
  using Call = std::unique_ptr<sys::MessageStream, HangUp>;  // outlived by the PeerCalls

  PeerCalls(Dial dial, std::size_t max_payload)
      : dial_(std::move(dial)), max_payload_(max_payload) {}

  Result<Call> dial();
  void cut();  // ends all that are open
  void end();  // that, and there are no more

 private:
  Dial dial_;
  std::size_t max_payload_;
  std::mutex mutex_;
  bool ended_ = false;
  std::set<int> open_;  // their descriptors
};

}  // namespace hotpair::daemon
