// Writes ctnetlink requests one after another into one buffer, ready for a single sendmsg. Pure:
// knows the message format (linux/netfilter/nfnetlink_conntrack.h) and no socket.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/core/session.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::conntrack {

// More than any request of ours needs (an IPv6 create with both kinds of NAT is below 500 bytes).
constexpr std::size_t kMaxRequestBytes = 768;

class RequestWriter {
 public:
  explicit RequestWriter(std::size_t max_requests);

  // A new entry; the kernel answers EEXIST when either direction's tuple is taken. `sequence` comes
  // back in the answer.
  void create(const dataplane::Session& session, std::uint32_t timeout_s, std::uint32_t sequence);
  // An existing entry's state; ENOENT when there is none with this reply direction. NAT cannot be
  // changed once an entry is made and is not mentioned.
  void update(const dataplane::Session& session, std::uint32_t timeout_s, std::uint32_t sequence);
  // Only an existing entry's timeout.
  void set_timeout(const dataplane::SessionKey& key, std::uint32_t timeout_s,
                   std::uint32_t sequence);
  // Whatever entry holds the tuple, in either of its directions.
  void remove(const dataplane::SessionKey& key, const dataplane::Tuple& tuple,
              std::uint32_t sequence);
  // Asks for the whole table.
  void dump(std::uint32_t sequence);

  bool has_room() const { return buffer_.size() - used_ >= kMaxRequestBytes; }
  Bytes written() const { return {buffer_.data(), used_}; }
  void clear() { used_ = 0; }

 private:
  void begin(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint32_t sequence);
  void end();
  std::size_t open_nest(std::uint16_t type);
  void close_nest(std::size_t start);
  void put(std::uint16_t type, const std::uint8_t* data, std::size_t size);
  void put_u8(std::uint16_t type, std::uint8_t value) { put(type, &value, 1); }
  void put_u16(std::uint16_t type, std::uint16_t value);
  void put_u32(std::uint16_t type, std::uint32_t value);
  void put_tuple(std::uint16_t type, const dataplane::SessionKey& key,
                 const dataplane::Tuple& tuple);
  void put_protocol(std::uint8_t protocol, bool ipv6, const dataplane::Tuple& tuple);
  void put_nat(std::uint16_t type, const dataplane::SessionKey& key,
               const dataplane::Address& address, std::uint16_t port);
  void put_nat_of(const dataplane::Session& session);
  void put_tcp(const dataplane::SessionState& state);
  void put_state(const dataplane::Session& session, std::uint32_t timeout_s);
  void put_zone(std::uint16_t zone);

  std::vector<std::uint8_t> buffer_;
  std::size_t used_ = 0;
  std::size_t message_start_ = 0;
};

// The reply direction as the kernel itself derives it when no NAT is at work.
dataplane::Tuple untranslated_reply(const dataplane::SessionKey& key);

}  // namespace hotpair::conntrack
