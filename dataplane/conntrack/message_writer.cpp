#include "dataplane/conntrack/message_writer.hpp"

#include <cstring>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "dataplane/conntrack/replicated.hpp"
#include "platform/base/assert.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::SessionKey;
using dataplane::Tuple;

constexpr std::size_t kAttributeHeader = sizeof(nlattr);
static_assert(kAttributeHeader == 4, "attributes are aligned to four bytes, header included");

}  // namespace

void MessageWriter::put_tuple(std::uint16_t type, const SessionKey& key, const Tuple& tuple,
                              std::uint16_t zone) {
  const std::size_t nest = open_nest(type);
  const std::size_t addresses = open_nest(CTA_TUPLE_IP);
  const std::size_t size = key.ipv6 ? 16 : 4;
  put(key.ipv6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, tuple.src.bytes.data(), size);
  put(key.ipv6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, tuple.dst.bytes.data(), size);
  close_nest(addresses);
  put_protocol(key.protocol, key.ipv6, tuple);
  put_zone(CTA_TUPLE_ZONE, zone);
  close_nest(nest);
}

void MessageWriter::put_protocol(std::uint8_t protocol, bool ipv6, const Tuple& tuple) {
  const std::size_t nest = open_nest(CTA_TUPLE_PROTO);
  put_u8(CTA_PROTO_NUM, protocol);
  if (is_icmp(protocol)) {
    put_u16(ipv6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, tuple.src_port);
    put_u8(ipv6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE,
           static_cast<std::uint8_t>(tuple.dst_port >> 8));
    put_u8(ipv6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE,
           static_cast<std::uint8_t>(tuple.dst_port));
  } else if (has_ports(protocol)) {
    put_u16(CTA_PROTO_SRC_PORT, tuple.src_port);
    put_u16(CTA_PROTO_DST_PORT, tuple.dst_port);
  }
  close_nest(nest);
}

void MessageWriter::put_zone(std::uint16_t type, std::uint16_t zone) {
  if (zone != 0) put_u16(type, zone);
}

void MessageWriter::put_text(std::uint16_t type, std::string_view text) {
  std::uint8_t bytes[32] = {};
  HOTPAIR_ASSERT(text.size() < sizeof bytes);
  std::memcpy(bytes, text.data(), text.size());
  put(type, bytes, text.size() + 1);
}

void MessageWriter::begin(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                          std::uint32_t sequence) {
  HOTPAIR_ASSERT(has_room());
  message_start_ = used_;
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  std::memcpy(buffer_.data() + used_, &header, sizeof header);
  nfgenmsg generic{};
  generic.nfgen_family = family;
  generic.version = NFNETLINK_V0;
  std::memcpy(buffer_.data() + used_ + NLMSG_HDRLEN, &generic, sizeof generic);
  used_ += NLMSG_HDRLEN + NLMSG_ALIGN(sizeof generic);
}

void MessageWriter::end() {
  const auto length = static_cast<std::uint32_t>(used_ - message_start_);
  std::memcpy(buffer_.data() + message_start_, &length, sizeof length);  // nlmsg_len comes first
}

std::size_t MessageWriter::open_nest(std::uint16_t type) {
  const std::size_t start = used_;
  put(type | NLA_F_NESTED, nullptr, 0);
  return start;
}

void MessageWriter::close_nest(std::size_t start) {
  const auto length = static_cast<std::uint16_t>(used_ - start);
  std::memcpy(buffer_.data() + start, &length, sizeof length);  // nla_len comes first
}

void MessageWriter::put(std::uint16_t type, const std::uint8_t* data, std::size_t size) {
  nlattr attribute{};
  attribute.nla_len = static_cast<std::uint16_t>(kAttributeHeader + size);
  attribute.nla_type = type;
  std::uint8_t* at = buffer_.data() + used_;
  std::memcpy(at, &attribute, sizeof attribute);
  if (size != 0) std::memcpy(at + kAttributeHeader, data, size);
  const std::size_t padded = (size + 3) & ~std::size_t{3};
  std::memset(at + kAttributeHeader + size, 0, padded - size);
  used_ += kAttributeHeader + padded;
}

void MessageWriter::put_u16(std::uint16_t type, std::uint16_t value) {
  std::uint8_t bytes[2];
  store_be(bytes, value);
  put(type, bytes, sizeof bytes);
}

void MessageWriter::put_u32(std::uint16_t type, std::uint32_t value) {
  std::uint8_t bytes[4];
  store_be(bytes, value);
  put(type, bytes, sizeof bytes);
}

}  // namespace hotpair::conntrack
