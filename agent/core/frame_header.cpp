#include "agent/core/frame_header.hpp"

#include <algorithm>

namespace hotpair::agent {
namespace {

constexpr std::array<std::uint8_t, 4> kMagic{'H', 'P', 'H', 'B'};
constexpr std::size_t kSaltSize = std::tuple_size_v<Salt>;
static_assert(4 + 1 + 1 + 2 + 1 + 1 + 6 + kSaltSize + kSaltSize + 8 + 8 == kHeartbeatHeaderSize);

}  // namespace

FrameHeader parse_header(Bytes frame) {
  ByteReader in(frame);
  FrameHeader h;
  h.magic_ok = std::ranges::equal(in.take(kMagic.size()), kMagic);
  h.version = in.u8();
  h.kind = in.u8();
  h.group = in.u16();
  h.sender = in.u8();
  h.path = in.u8();
  const std::uint64_t reserved = std::uint64_t{in.u32()} | in.u16();
  in.copy_to(h.sender_salt);
  in.copy_to(h.echoed_salt);
  h.counter = in.u64();
  h.reserved_ok = (reserved | in.u64()) == 0;
  HOTPAIR_ASSERT(!in.failed());  // the caller checked the size
  return h;
}

void write_header(const FrameHeader& h, MutableBytes out) {
  ByteWriter writer(out);
  writer.put(Bytes(kMagic));
  writer.u8(h.version);
  writer.u8(h.kind);
  writer.u16(h.group);
  writer.u8(h.sender);
  writer.u8(h.path);
  writer.zeros(6);
  writer.put(Bytes(h.sender_salt));
  writer.put(Bytes(h.echoed_salt));
  writer.u64(h.counter);
  writer.zeros(8);
  HOTPAIR_ASSERT(writer.size() == kHeartbeatHeaderSize && !writer.failed());
}

Nonce nonce_of(std::uint8_t path, std::uint64_t counter) {
  Nonce nonce{};
  store_be(nonce.data(), std::uint32_t{path});
  store_be(nonce.data() + 4, counter);
  return nonce;
}

}  // namespace hotpair::agent
