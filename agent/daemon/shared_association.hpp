// The association as the heartbeat thread (which seals) and the main loop (which opens) share it.
// Whoever holds the lock makes no system call that can block: a seal or an open costs a few
// microseconds.
#pragma once

#include <memory>
#include <mutex>

#include "agent/core/association.hpp"
#include "agent/daemon/cipher.hpp"

namespace hotpair::daemon {

class SharedAssociation {
 public:
  SharedAssociation(agent::ChassisId self, std::uint16_t group,
                    std::unique_ptr<PasswordCipher> cipher)
      : cipher_(std::move(cipher)), association_(self, group, *cipher_) {}

  // The password file was read anew. False: nothing changed.
  bool adopt_passwords(const PasswordCipher& other) {
    const std::lock_guard lock(mutex_);
    if (!cipher_->adopt(other)) return false;
    association_.passwords_changed();
    return true;
  }

  template <typename Use>
  auto with(Use use) {
    const std::lock_guard lock(mutex_);
    return use(association_);
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<PasswordCipher> cipher_;
  agent::Association association_;
};

}  // namespace hotpair::daemon
