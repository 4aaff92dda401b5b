// What the kernel leaves out of its reports, from what is known of the session already.
#pragma once

#include "dataplane/core/session.hpp"

namespace hotpair::dataplane {

// An event names what changed: the protocol's state, flags and window scales, and each of the
// extras, hold unless it names them. Both are normalised, and of one key.
void keep_untold(const SessionState& known, std::uint8_t protocol, SessionState& event);
// A dump's entry is whole, but for the state of what a flowtable forwards; and labels that were
// there and are not any more are kept as none set, so that they are cleared in the backup's kernel.
void keep_undumped(const SessionState& known, std::uint8_t protocol, SessionState& entry);
// The extras with one thing more that the helper expects, or one less; false when there is no room.
bool with_expectation(const SharedExtras& before, const Expectation& expectation, bool gone,
                      SharedExtras& after);

}  // namespace hotpair::dataplane
