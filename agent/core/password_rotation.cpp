#include "agent/core/password_rotation.hpp"

#include <algorithm>

namespace hotpair::agent {
namespace {

PasswordUse use_of(const LoadedPasswords& loaded, PasswordId used, std::uint64_t round) {
  return {round, used, used == loaded[0] ? loaded[1] : loaded[0]};
}

bool is_loaded(const LoadedPasswords& loaded, PasswordId id) {
  return id != kNoPassword && std::find(loaded.begin(), loaded.end(), id) != loaded.end();
}

PasswordUse moved_to(const PasswordUse& ours, PasswordId id, std::uint64_t round) {
  return {round, id, id == ours.used ? ours.other : ours.used};
}

}  // namespace

PasswordUse choose_password(const LoadedPasswords& loaded, const PasswordUse& last,
                            const PasswordUse& peers) {
  const PasswordId before = is_loaded(loaded, last.used) ? last.used : loaded[0];
  const bool peer_reads_it = !peers.known() || peers.has(before);
  const PasswordId chosen = !peer_reads_it && is_loaded(loaded, peers.used) ? peers.used : before;
  return use_of(loaded, chosen, last.round);
}

std::optional<PasswordUse> follow_password(const PasswordUse& ours, const PasswordUse& peers) {
  if (!ours.has(peers.used)) return std::nullopt;
  const bool peer_is_ahead = peers.round > ours.round;
  const bool peer_cannot_read_us = !peers.has(ours.used);
  if (!peer_is_ahead && !peer_cannot_read_us) return std::nullopt;
  return moved_to(ours, peers.used, std::max(ours.round, peers.round));
}

Result<PasswordUse, Reason> switch_password(const PasswordUse& ours, PasswordId wanted,
                                            const PasswordUse& peers) {
  if (!ours.has(wanted))
    return fail(
        Reason("this node has one password; write the next one as the second line of the "
               "password file on both nodes, then 'hotpair reload' on both"));
  if (!peers.known())
    return fail(
        Reason("the other node is not heard, or does not say which passwords it has; "
               "both must have loaded the next one"));
  if (!peers.has(wanted))
    return fail(
        Reason("the other node has not loaded that password; write it as the second line of its "
               "password file and 'hotpair reload' there"));
  return moved_to(ours, wanted, std::max(ours.round, peers.round) + 1);
}

}  // namespace hotpair::agent
