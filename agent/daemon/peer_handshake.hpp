// How the two agents recognise each other on a TCP connection over the cluster network. What comes
// over that network is the peer's already (it was sealed for us), but everybody on the peer's box
// may send over it; only its agent knows the association's keys.
//
//   asks   -> "HPPL", version 1, service, nonce a (16)
//   serves <- nonce b (16), proof (32) under its sending key
//   asks   -> proof (32) under its sending key
//   serves <- verdict: 0 go on; else refused, and a sentence of u16 size
//
// proof = HKDF-SHA256(key, salt = a || b, info = "hotpair peer link" || side || service). The
// stream behind it is sealed by the network below.
#pragma once

#include <mutex>
#include <optional>

#include "agent/core/association.hpp"
#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::daemon {

constexpr std::string_view kPeerLinkPurpose = "hotpair peer link";
constexpr std::uint16_t kPeerPort = 9891;

enum class PeerService : std::uint8_t {
  exec = 1,
  config = 2,
  routes = 3,
  partitions = 4,
  ruleset = 5,
  upgrade = 6
};

// The keys of the moment, shared with the threads that shake hands.
class PeerKeys {
 public:
  void set(const std::optional<agent::ChannelKeys>& keys) {
    const std::lock_guard lock(mutex_);
    keys_ = keys;
  }
  std::optional<agent::ChannelKeys> get() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<agent::ChannelKeys> keys_;
};

// Each takes at most some 3 s a step. The socket is ready for the service afterwards.
Status ask_for(int socket, PeerService service, const PeerKeys& keys);
// What the other side asks for, once it has proven itself; then refuse() or welcome() it.
Result<PeerService> recognise(int socket, const PeerKeys& keys);
bool welcome(int socket);
void refuse(int socket, std::string_view why);

}  // namespace hotpair::daemon
