#include "dataplane/dpdk/frame_io.hpp"

#include <algorithm>
#include <utility>

#include "platform/base/assert.hpp"

namespace hotpair::dpdk {

namespace {

constexpr std::uint32_t kMagic = 0x48505359;  // "HPSY"
constexpr std::uint8_t kSealed = 1, kRelayed = 2, kHello = 3;

// Group address of a cluster's session-sync frames, until the peer's own is known.
Mac group_mac(std::uint16_t group) {
  return {0x03,
          0x48,
          0x50,
          0x01,
          static_cast<std::uint8_t>(group >> 8),
          static_cast<std::uint8_t>(group)};
}

sys::Nonce96 nonce_of(std::uint64_t counter) {
  sys::Nonce96 nonce{};
  store_be(nonce.data() + 4, counter);
  return nonce;
}

bool is_zero(const sys::Key256& key) {
  return std::all_of(key.begin(), key.end(), [](std::uint8_t b) { return b == 0; });
}

}  // namespace

FrameIo::FrameIo(const FrameIdentity& identity, Counters& counters)
    : identity_(identity), counters_(counters) {}

void FrameIo::set_keys(const dataplane::control::SetKeys& keys) {
  tx_.reset();
  if (!is_zero(keys.tx_key)) tx_.emplace(TransmitKey{keys.tx_key_id, sys::Aes256Gcm(keys.tx_key)});
  if (is_zero(keys.rx_key)) {
    rx_ = {};
  } else {
    add_receive_key(keys.rx_key_id, keys.rx_key);
  }
}

void FrameIo::add_receive_key(std::uint32_t id, const sys::Key256& key) {
  auto same = std::find_if(rx_.begin(), rx_.end(),
                           [&](const auto& known) { return known && known->key.bytes() == key; });
  const bool known = same != rx_.end();
  if (!known) same = rx_.end() - 1;  // the oldest leaves
  std::rotate(rx_.begin(), same, same + 1);
  if (!known) rx_.front().emplace(id, key);
  rx_.front()->id = id;
}

void FrameIo::write_headers(MutableBytes frame, const Header& header, const Wire& wire) const {
  ByteWriter out(frame);
  out.put(wire.peer ? *wire.peer : group_mac(identity_.group));
  out.put(wire.own);
  out.u16(identity_.ethertype);
  out.u32(kMagic);
  out.u8(kFrameVersion);
  out.u8(header.kind);
  out.u16(identity_.group);
  out.u8(identity_.chassis);
  out.u8(0);
  out.u16(static_cast<std::uint16_t>(header.length));
  out.u32(header.key_id);
  out.u64(header.counter);
  HOTPAIR_ASSERT(!out.failed() && out.size() == kBodyOffset);
}

std::size_t FrameIo::seal(Kind kind, MutableBytes frame, std::size_t body_size, const Wire& wire) {
  HOTPAIR_ASSERT(tx_ && frame.size() >= body_size + kFrameOverhead);
  const std::size_t length = body_size + sys::kGcmTagSize;
  const std::uint64_t counter = ++tx_counter_;
  write_headers(frame, {kind == Kind::hello ? kHello : kSealed, length, tx_->id, counter}, wire);
  const Bytes clear = frame.subspan(kEthernetHeader, kClearHeader);
  tx_->cipher.seal(nonce_of(counter), clear, frame.subspan(kBodyOffset, body_size),
                   frame.subspan(kBodyOffset, length));
  return kBodyOffset + length;
}

std::size_t FrameIo::relay(Bytes content, MutableBytes frame, const Wire& wire) {
  if (content.size() + kBodyOffset > frame.size()) return 0;
  write_headers(frame, {kRelayed, content.size(), 0, 0}, wire);
  std::copy(content.begin(), content.end(), frame.begin() + kBodyOffset);
  return kBodyOffset + content.size();
}

bool FrameIo::is_copy(Bytes relayed) {
  GcmTag tag{};
  if (relayed.size() < tag.size()) return false;
  std::copy(relayed.end() - static_cast<std::ptrdiff_t>(tag.size()), relayed.end(), tag.begin());
  if (std::find(relayed_.begin(), relayed_.end(), tag) != relayed_.end()) return true;
  relayed_[next_relayed_++ % relayed_.size()] = tag;
  return false;
}

FrameIo::Opened FrameIo::reject(std::uint64_t& counter) {
  ++counter;
  return {};
}

FrameIo::Opened FrameIo::open(Bytes frame, MutableBytes scratch, Wire& wire) {
  ++counters_.rx_frames;
  counters_.rx_bytes += frame.size();
  if (frame.size() < kEthernetHeader) return reject(counters_.rejected_short);
  if (load_be<std::uint16_t>(frame.data() + 12) != identity_.ethertype)
    return reject(counters_.foreign_frames);

  ByteReader in(frame.subspan(kEthernetHeader));
  const std::uint32_t magic = in.u32();
  const std::uint8_t version = in.u8(), kind = in.u8();
  const std::uint16_t group = in.u16();
  const std::uint8_t sender = in.u8(), reserved = in.u8();
  const std::uint16_t length = in.u16();
  in.skip(12);
  if (in.failed()) return reject(counters_.rejected_short);
  if (magic != kMagic) return reject(counters_.rejected_magic);
  if (version != kFrameVersion) return reject(counters_.rejected_version);
  if (reserved != 0) return reject(counters_.rejected_reserved);
  if (group != identity_.group) return reject(counters_.rejected_group);
  if (sender == identity_.chassis) return reject(counters_.rejected_own);
  if (length > in.remaining()) return reject(counters_.rejected_short);
  if (kind == kRelayed) {
    const Bytes heartbeat = in.take(length);
    if (is_copy(heartbeat)) return reject(counters_.relayed_twice);
    ++counters_.relayed_in;
    return {Kind::relayed, heartbeat};  // sealed already; the agent verifies it
  }
  if (kind != kSealed && kind != kHello) return reject(counters_.rejected_kind);
  return open_sealed(kind == kHello ? Kind::hello : Kind::replication, frame, scratch, length,
                     wire);
}

FrameIo::Opened FrameIo::open_sealed(Kind kind, Bytes frame, MutableBytes scratch,
                                     std::size_t length, Wire& wire) {
  if (length < sys::kGcmTagSize || length - sys::kGcmTagSize > scratch.size())
    return reject(counters_.rejected_short);
  const Bytes clear = frame.subspan(kEthernetHeader, kClearHeader);
  const auto key_id = load_be<std::uint32_t>(clear.data() + 12);
  const auto counter = load_be<std::uint64_t>(clear.data() + 16);
  const auto key = std::find_if(rx_.begin(), rx_.end(),
                                [&](const auto& known) { return known && known->id == key_id; });
  if (key == rx_.end()) return reject(counters_.rejected_no_key);

  const MutableBytes body = scratch.first(length - sys::kGcmTagSize);
  if (!(*key)->cipher.open(nonce_of(counter), clear, frame.subspan(kBodyOffset, length), body))
    return reject(counters_.rejected_tag);
  if (!(*key)->window.accept(counter)) return reject(counters_.rejected_replay);

  Mac source;
  std::copy_n(frame.begin() + 6, source.size(), source.begin());
  if ((source[0] & 1) == 0)
    wire.peer = source;  // only of a frame that verified, never a group address
  return {kind, body};
}

}  // namespace hotpair::dpdk
