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
constexpr std::uint8_t kFrameVersion = 3;

struct FrameIdentity {
  std::uint16_t group = 0;
  std::uint8_t chassis = 0;  // ours, 1 or 2
  std::uint16_t ethertype = 0;
};

// The two ends of one wire.
struct Wire {
  Mac own{};
  std::optional<Mac> peer;  // learned; until then frames go to the cluster's group
};

using GcmTag = std::array<std::uint8_t, sys::kGcmTagSize>;

class FrameIo {
 public:
  FrameIo(const FrameIdentity& identity, Counters& counters);

  // All zero: no peer is known. The same key again goes on where it was: no counter is ever used
  // twice with a key, because one counter serves all keys of this process.
  void set_keys(const dataplane::control::SetKeys& keys);
  bool can_send() const { return tx_.has_value(); }

  enum class Kind : std::uint8_t { nothing, replication, relayed, hello };
  // Makes a frame around the body of `body_size` bytes that stands at kBodyOffset of `frame`, which
  // has room for kFrameOverhead more; returns the frame's size. can_send() must hold; `kind` is
  // replication or hello.
  std::size_t seal(Kind kind, MutableBytes frame, std::size_t body_size, const Wire& wire);
  // Makes a frame that carries `content` as it is; 0 when it does not fit.
  std::size_t relay(Bytes content, MutableBytes frame, const Wire& wire);

  struct Opened {
    Kind kind = Kind::nothing;
    Bytes content;  // in `scratch` (what was sealed) or in the frame itself (relayed)
  };
  // `scratch` must be as large as the frame. The peer's address is learned from a frame that
  // verified.
  Opened open(Bytes frame, MutableBytes scratch, Wire& wire);

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

  struct Header {
    std::uint8_t kind = 0;
    std::size_t length = 0;
    std::uint32_t key_id = 0;
    std::uint64_t counter = 0;
  };
  void write_headers(MutableBytes frame, const Header& header, const Wire& wire) const;
  Opened open_sealed(Kind kind, Bytes frame, MutableBytes scratch, std::size_t length, Wire& wire);
  bool is_copy(Bytes relayed);
  void add_receive_key(std::uint32_t id, const sys::Key256& key);
  Opened reject(std::uint64_t& counter);

  FrameIdentity identity_;
  Counters& counters_;
  std::optional<TransmitKey> tx_;
  std::uint64_t tx_counter_ = 0;
  // Newest first; the older ones are kept with their windows, so that a switch of keys loses
  // nothing and a key that returns admits nothing twice.
  std::array<std::optional<ReceiveKey>, 4> rx_;
  // The ends of the heartbeats relayed last, which are their tags: each comes by every port.
  std::array<GcmTag, 8> relayed_{};
  std::size_t next_relayed_ = 0;
};

}  // namespace hotpair::dpdk
