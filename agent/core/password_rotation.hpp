// Which of the loaded passwords a node seals with, and how both nodes come to use the same one
// while a new password is brought in; pure. Both loaded passwords are always accepted, so the two
// need not change in the same instant and no heartbeat is lost.
//
// A switch is a round: the node where it was asked for raises the round, its peer follows when it
// hears of a higher one. A node that was restarted meanwhile follows in the same way. Whatever the
// round, a node never seals with a password that its peer has not loaded when they share another.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "agent/core/types.hpp"
#include "platform/base/result.hpp"

namespace hotpair::agent {

// Names a password without telling it: drawn from the stretched password, equal on both nodes.
using PasswordId = std::uint64_t;
constexpr PasswordId kNoPassword = 0;

// In the order of the lines of the password file; the second is kNoPassword outside a rotation.
using LoadedPasswords = std::array<PasswordId, 2>;

// What a node says of its passwords; used is kNoPassword when nothing is known.
struct PasswordUse {
  std::uint64_t round = 0;
  PasswordId used = kNoPassword;
  PasswordId other = kNoPassword;  // loaded beside it, and accepted

  bool known() const { return used != kNoPassword; }
  bool has(PasswordId id) const { return id != kNoPassword && (id == used || id == other); }
  friend bool operator==(const PasswordUse&, const PasswordUse&) = default;
};

// What to use of what is loaded: what was used last, else what the peer can read, else the first
// line.
PasswordUse choose_password(const LoadedPasswords& loaded, const PasswordUse& last,
                            const PasswordUse& peers);

// What to use from now on, having heard the peer; none: as before.
std::optional<PasswordUse> follow_password(const PasswordUse& ours, const PasswordUse& peers);

// An operator's switch. Refused when the peer could not read `wanted`, or does not say.
Result<PasswordUse, Reason> switch_password(const PasswordUse& ours, PasswordId wanted,
                                            const PasswordUse& peers);

}  // namespace hotpair::agent
