// The sender's notes in Slot::flags; void unless the slot's generation is the table's.
#pragma once

#include <cstdint>

namespace hotpair::dataplane::sender_flags {

constexpr std::uint8_t kDirty = 1;     // to be sent
constexpr std::uint8_t kKeptBack = 2;  // not to be sent yet: too young (never told: digest 0), or
                                       // closing (told before)
constexpr std::uint8_t kQueued = 4;    // the fresh list has an entry for the slot, valid or not
constexpr std::uint8_t kLost = 8;      // that frame was lost, and it was not sent again yet
constexpr std::uint8_t kKnown =
    16;  // a create with its present rarely changing part was acknowledged
constexpr std::uint8_t kRetold =
    32;                             // the rarely changing part changed since a create was last sent
constexpr std::uint8_t kBulk = 64;  // the bulk waits for a create of it to be acknowledged
constexpr std::uint8_t kRepair = 128;  // a repair waits for that

}  // namespace hotpair::dataplane::sender_flags
