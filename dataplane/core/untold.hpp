// What the kernel leaves out of its reports, from what is known of the session already.
#pragma once

#include <cstdint>

#include "dataplane/core/session.hpp"

namespace hotpair::dataplane {

// What of a state was left as it was known: the bits of Extras::Part, and these.
using Untold = std::uint16_t;
constexpr Untold kUntoldProtocol = 1u << 14;  // state, flags and window scales of TCP, SCTP, DCCP
constexpr Untold kUntoldRest = 1u << 15;      // all that is neither those nor extras

// An event names what changed: the protocol's state, flags and window scales, and each of the
// extras, hold unless it names them. Both are normalised, and of one key.
Untold keep_untold(const SessionState& known, std::uint8_t protocol, SessionState& event);
// A dump's entry is whole, but for the state of what a flowtable forwards; and labels that were
// there and are not any more are kept as none set, so that they are cleared in the backup's kernel.
void keep_undumped(const SessionState& known, std::uint8_t protocol, SessionState& entry);
// An event was newer than the dump's entry, but left `untold` as it was known. There the entry is
// right: what was known may be of a session under that key whose end nobody told.
void correct_untold(const SessionState& entry, Untold untold, SessionState& known);
// The extras with one thing more that the helper expects, or one less; false when there is no room.
bool with_expectation(const SharedExtras& before, const Expectation& expectation, bool gone,
                      SharedExtras& after);

}  // namespace hotpair::dataplane
