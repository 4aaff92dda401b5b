// Netlink messages of ctnetlink, one after another in one buffer: header, attributes, nests, and
// the parts that several requests have. Numbers go out in network order.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <netinet/in.h>

#include "dataplane/core/session.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::conntrack {

// More than any request of ours needs (an IPv6 create with both kinds of NAT and every extra is
// below 720 bytes).
constexpr std::size_t kMaxRequestBytes = 768;

constexpr bool is_icmp(std::uint8_t protocol) {
  return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

class MessageWriter {
 public:
  explicit MessageWriter(std::size_t max_messages) : buffer_(max_messages * kMaxRequestBytes) {}

  bool has_room(std::size_t messages = 1) const {
    return buffer_.size() - used_ >= messages * kMaxRequestBytes;
  }
  Bytes written() const { return {buffer_.data(), used_}; }
  void clear() { used_ = 0; }

  void begin(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint32_t sequence);
  void end();
  std::size_t open_nest(std::uint16_t type);
  void close_nest(std::size_t start);
  void put(std::uint16_t type, const std::uint8_t* data, std::size_t size);
  void put_u8(std::uint16_t type, std::uint8_t value) { put(type, &value, 1); }
  void put_u16(std::uint16_t type, std::uint16_t value);
  void put_u32(std::uint16_t type, std::uint32_t value);
  void put_text(std::uint16_t type, std::string_view text);
  // A zone other than 0; of one direction when it stands in a tuple.
  void put_zone(std::uint16_t type, std::uint16_t zone);
  void put_tuple(std::uint16_t type, const dataplane::SessionKey& key,
                 const dataplane::Tuple& tuple, std::uint16_t zone = 0);

 private:
  void put_protocol(std::uint8_t protocol, bool ipv6, const dataplane::Tuple& tuple);

  std::vector<std::uint8_t> buffer_;
  std::size_t used_ = 0;
  std::size_t message_start_ = 0;
};

}  // namespace hotpair::conntrack
