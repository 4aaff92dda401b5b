// What the recording's writer and reader share: variable-length numbers, and payloads written as
// the difference to the last one of their kind. Private to agent/core.
#pragma once

#include "agent/core/field_codec.hpp"
#include "agent/core/recording.hpp"

namespace hotpair::agent::recording_wire {

constexpr std::uint8_t kKindMask = 0x0f;
constexpr unsigned kPathShift = 4;  // of a beat: bits 4-6
constexpr std::uint8_t kActed = 0x80;

// Seven bits a byte, the lowest first.
inline void put_varint(ByteWriter& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.u8(static_cast<std::uint8_t>(value | 0x80));
  out.u8(static_cast<std::uint8_t>(value));
}
inline std::optional<std::uint64_t> take_varint(ByteReader& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = in.u8();
    if (in.failed() || (shift == 63 && byte > 1)) return std::nullopt;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// Small negative numbers stay small.
constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

// size, then {equal, different, the different bytes} until the size is reached. What is compared
// with is the last payload of the kind, or zeros when that had another size.
inline void put_payload(ByteWriter& out, Bytes payload, std::vector<std::uint8_t>& last) {
  if (last.size() != payload.size()) last.assign(payload.size(), 0);
  put_varint(out, payload.size());
  constexpr std::size_t kBridge = 3;  // equal bytes that cost less as different ones
  const auto differs = [&](std::size_t i) { return payload[i] != last[i]; };
  for (std::size_t at = 0; at < payload.size();) {
    std::size_t begin = at;
    while (begin < payload.size() && !differs(begin)) ++begin;
    std::size_t end = begin;
    for (std::size_t i = begin; i < payload.size() && i < end + kBridge; ++i)
      if (differs(i)) end = i + 1;
    put_varint(out, begin - at);
    put_varint(out, end - begin);
    out.put(payload.subspan(begin, end - begin));
    at = end;
  }
  std::copy(payload.begin(), payload.end(), last.begin());
}
// None when it is cut, or does not add up.
inline std::optional<Bytes> take_payload(ByteReader& in, std::vector<std::uint8_t>& last) {
  const auto size = take_varint(in);
  if (!size || *size > kMaxPayloadSize) return std::nullopt;
  if (last.size() != *size) last.assign(*size, 0);
  for (std::size_t at = 0; at < last.size();) {
    const auto equal = take_varint(in), different = take_varint(in);
    if (!equal || !different || *equal > last.size() - at ||
        *different > last.size() - at - *equal || *equal + *different == 0)
      return std::nullopt;
    at += *equal;
    const Bytes bytes = in.take(*different);
    if (in.failed()) return std::nullopt;
    std::copy(bytes.begin(), bytes.end(), last.begin() + static_cast<std::ptrdiff_t>(at));
    at += *different;
  }
  return Bytes(last);
}

constexpr std::size_t kKinds = 32;  // more than there are of events or of actions
template <typename Variant>
struct Numbering;
template <typename... Alternatives>
struct Numbering<std::variant<Alternatives...>> {
  static constexpr bool distinct() {
    std::uint32_t seen = 0;
    for (const std::uint8_t number : {RecordedKind<Alternatives>::kNumber...}) {
      if (number >= kKinds || (seen >> number & 1u) != 0) return false;
      seen |= 1u << number;
    }
    return true;
  }
};
static_assert(Numbering<Action>::distinct() && Numbering<decltype(Event::what)>::distinct());

// What was said last, of which only the difference is said next.
struct Memory {
  Instant at;
  std::array<std::vector<std::uint8_t>, kKinds> events, actions;
  std::vector<std::uint8_t> config;
  std::array<std::uint64_t, kMaxPaths> sequence{};
  Heartbeat heartbeat;  // without what is stamped at each send
  bool heard = false;
};

inline Heartbeat without_stamps(Heartbeat heartbeat) {
  heartbeat.sequence = 0;
  heartbeat.loop_age_us = 0;
  return heartbeat;
}

inline std::int64_t since(Instant at, Instant before) {
  return (at - before).count();
}

}  // namespace hotpair::agent::recording_wire
