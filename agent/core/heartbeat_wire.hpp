// The body of a heartbeat as bytes: a fixed section, then typed sections {kind u8, reserved u8,
// size u16} of which unknown kinds are skipped by size. The layout and its vectors are in WIRE.md.
// decode(encode(h)) == h for every h; encode never exceeds kMaxBodySize.
#pragma once

#include "agent/core/association.hpp"
#include "agent/core/heartbeat.hpp"
#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"

namespace hotpair::agent {

enum class BodyError : std::uint8_t { too_short, bad_section_size, bad_value, text_too_long };

// The bytes written. `out` has room for kMaxBodySize.
std::size_t encode_heartbeat(const Heartbeat& heartbeat, MutableBytes out);
// sequence, loop_age_us and direct_silent alone, in place: what the sending thread stamps. The
// first two are the first kStampSize bytes; most bodies differ from the one before by them alone.
constexpr std::size_t kStampSize = 12;
void stamp_heartbeat(MutableBytes body, std::uint64_t sequence, std::uint32_t loop_age_us,
                     bool direct_silent);
void read_stamp(Bytes body, Heartbeat& heartbeat);
Result<Heartbeat, BodyError> decode_heartbeat(Bytes body);

}  // namespace hotpair::agent
