// Session-sync frames between bytes of the port and bodies of the replication: Ethernet header,
// clear header (dataplane/WIRE.md), AES-256-GCM. Knows keys, counters and the peer's MAC; never
// reads a body and never a field beyond the clear header before the seal verified. Everything
// ignored is counted by its reason.
//
//   0      6      12   14 magic "HPSY" 18 version 19 kind 20 group 22 sender 23 zero 24 length 26
//   key id dst    src    type 30 counter (64 bits)  38 sealed body (length bytes, the last 16 are
//   the tag)
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "dataplane/core/control.hpp"
#include "dataplane/dpdk/counters.hpp"
#include "platform/base/bytes.hpp"
#include "platform/base/replay_window.hpp"
#include "platform/linux/aes_gcm.hpp"

namespace hotpair::dpdk {

using Mac = std::array<std::uint8_t, 6>;

constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kClearHeader = 24;
constexpr std::size_t kBodyOffset = kEthernetHeader + kClearHeader;
constexpr std::size_t kFrameOverhead = kBodyOffset + sys::kGcmTagSize;
constexpr std::uint8_t kFrameVersion = 2;

struct FrameIdentity {
  std::uint16_t group = 0;
  std::uint8_t chassis = 0;  // ours, 1 or 2
  std::uint16_t ethertype = 0;
  Mac mac{};  // the port's
};

class FrameIo {
 public:
  FrameIo(const FrameIdentity& identity, Counters& counters);

  // All zero: no peer is known. The same key again goes on where it was: no counter is ever used
  // twice with a key, because one counter serves all keys of this process.
  void set_keys(const dataplane::control::SetKeys& keys);
  bool can_send() const { return tx_.has_value(); }

  // Makes a frame around the body of `body_size` bytes that stands at kBodyOffset of `frame`, which
  // has room for kFrameOverhead more; returns the frame's size. can_send() must hold.
  std::size_t seal(MutableBytes frame, std::size_t body_size);
  // Makes a frame that carries `content` as it is; 0 when it does not fit.
  std::size_t relay(Bytes content, MutableBytes frame);

  enum class Kind : std::uint8_t { nothing, replication, relayed };
  struct Opened {
    Kind kind = Kind::nothing;
    Bytes content;  // in `scratch` (replication) or in the frame itself (relayed)
  };
  // `scratch` must be as large as the frame.
  Opened open(Bytes frame, MutableBytes scratch);

  // Frames go to everybody again, until the peer is heard: its port may have been replaced.
  void forget_peer_mac() { peer_mac_.reset(); }

 private:
  struct ReceiveKey {
    std::uint32_t id = 0;
    sys::SecretKey key;
    sys::Aes256Gcm cipher;
    ReplayWindow<4096> window;
    ReceiveKey(std::uint32_t key_id, const sys::Key256& bytes)
        : id(key_id), key(bytes), cipher(bytes) {}
  };
  struct TransmitKey {
    std::uint32_t id = 0;
    sys::Aes256Gcm cipher;
  };

  void write_headers(MutableBytes frame, std::uint8_t kind, std::size_t length,
                     std::uint32_t key_id, std::uint64_t counter);
  Opened open_sealed(Bytes frame, MutableBytes scratch, std::size_t length);
  void add_receive_key(std::uint32_t id, const sys::Key256& key);
  Opened reject(std::uint64_t& counter);

  FrameIdentity identity_;
  Counters& counters_;
  std::optional<TransmitKey> tx_;
  std::uint64_t tx_counter_ = 0;
  // Newest first; the older ones are kept with their windows, so that a switch of keys loses
  // nothing and a key that returns admits nothing twice.
  std::array<std::optional<ReceiveKey>, 4> rx_;
  std::optional<Mac> peer_mac_;
};

}  // namespace hotpair::dpdk
