// The receiver's notes in Slot::flags; void unless the slot's generation is the table's.
#pragma once

#include <cstdint>

namespace hotpair::dataplane::receiver_flags {

// The session in the slot is the one that this stream names by the slot's number. Without it the
// session is what an earlier stream left there, and the note speaks of the number alone.
constexpr std::uint8_t kBound = 1;

}  // namespace hotpair::dataplane::receiver_flags
