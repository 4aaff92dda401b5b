#include "tools/bench/sync/envelope.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"

namespace hotpair::bench::sync {

namespace {

constexpr std::uint16_t kEthertype = 0x9890;
// No stage takes so long by itself; a scheduler's slice is longer.
constexpr Duration kInterrupted = 500us;

sys::Key256 key_of(bool primary) {
  sys::Key256 key;
  key.fill(primary ? 0x11 : 0x22);
  return key;
}

}  // namespace

void StageClock::start() {
  last_ = sys::now();
}

void StageClock::stop(Stage stage) {
  const Instant now = sys::now();
  add(now - last_ < kInterrupted ? stage : Stage::interrupted, now - last_);
  last_ = now;
}

Envelope::Envelope(FrameLink& link, bool sealed, bool primary, const dpdk::Mac& mac)
    : link_(link),
      sealed_(sealed),
      frames_({.group = 1,
               .chassis = static_cast<std::uint8_t>(primary ? 1 : 2),
               .ethertype = kEthertype},
              counters_),
      wire_{.own = mac, .peer = std::nullopt},
      scratch_(link.max_frame()) {
  frames_.set_keys({.tx_key = key_of(primary),
                    .rx_key = key_of(!primary),
                    .tx_key_id = primary ? 1u : 2u,
                    .rx_key_id = primary ? 2u : 1u});
}

MutableBytes Envelope::begin() {
  frame_ = link_.begin_frame();
  if (frame_.empty()) return {};
  return frame_.subspan(dpdk::kBodyOffset, body_room());
}

std::size_t Envelope::end(std::size_t body_size) {
  std::size_t size = 0;
  if (body_size > 0 && sealed_) {
    size = frames_.seal(dpdk::FrameIo::Kind::replication, frame_, body_size, wire_);
  } else if (body_size > 0) {
    store_be<std::uint16_t>(frame_.data() + 12, kEthertype);
    store_be<std::uint16_t>(frame_.data() + dpdk::kEthernetHeader,
                            static_cast<std::uint16_t>(body_size));
    size = dpdk::kBodyOffset + body_size;
  }
  link_.commit(size);
  return size;
}

Bytes Envelope::open(Bytes frame) {
  if (sealed_) {
    const dpdk::FrameIo::Opened opened = frames_.open(frame, scratch_, wire_);
    return opened.kind == dpdk::FrameIo::Kind::replication ? opened.content : Bytes{};
  }
  if (frame.size() < dpdk::kBodyOffset || load_be<std::uint16_t>(frame.data() + 12) != kEthertype)
    return {};
  const auto size = load_be<std::uint16_t>(frame.data() + dpdk::kEthernetHeader);
  return frame.subspan(dpdk::kBodyOffset,
                       std::min<std::size_t>(size, frame.size() - dpdk::kBodyOffset));
}

}  // namespace hotpair::bench::sync
