#include "dataplane/conntrack/event_filter.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include "platform/base/bytes.hpp"

namespace hotpair::conntrack {

namespace {

constexpr std::uint32_t kFamilyAt = NLMSG_HDRLEN;
constexpr std::uint32_t kAttributesAt = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
// nlmsg_type is in host order: the subsystem is its high byte.
constexpr std::uint32_t kSubsystemAt =
    offsetof(nlmsghdr, nlmsg_type) + (std::endian::native == std::endian::little ? 1 : 0);
constexpr std::uint32_t kPass = 0xffffffff, kDrop = 0;
constexpr std::uint32_t kHeader = sizeof(nlattr);
// Where the addresses of the original tuple were found: offsets of their attributes.
enum Memory : std::uint32_t { kTuple = 0, kSource = 1, kDestination = 2 };

class Program {
 public:
  void op(unsigned code, std::uint32_t k) {
    code_.push_back({static_cast<std::uint16_t>(code), 0, 0, k});
  }
  // Skips `count` instructions when A does not equal `k`, or when it does.
  void skip_unless(std::uint32_t k, std::uint8_t count) {
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, count, k});
  }
  void skip_if(std::uint32_t k, std::uint8_t count) {
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, count, 0, k});
  }
  void answer(std::uint32_t verdict) { op(BPF_RET | BPF_K, verdict); }
  void answer_if(std::uint32_t k, std::uint32_t verdict) {
    skip_unless(k, 1);
    answer(verdict);
  }
  // A: where the attribute of that type is, from the message's first on; there is one or the
  // message passes.
  void find(std::uint32_t type) {
    op(BPF_LD | BPF_IMM, kAttributesAt);
    op(BPF_LDX | BPF_IMM, type);
    ancillary(SKF_AD_NLATTR);
  }
  // The same within the nest that A points to.
  void find_within(std::uint32_t type) {
    op(BPF_LDX | BPF_IMM, type);
    ancillary(SKF_AD_NLATTR_NEST);
  }
  void load_memory(Memory cell) { op(BPF_LD | BPF_MEM, cell); }
  void store_memory(Memory cell) { op(BPF_ST, cell); }
  void load_at_a(unsigned size, std::uint32_t offset) {
    op(BPF_MISC | BPF_TAX, 0);
    op(BPF_LD | size | BPF_IND, offset);
  }
  std::size_t size() const { return code_.size(); }
  void append(const Program& other) {
    code_.insert(code_.end(), other.code_.begin(), other.code_.end());
  }
  std::vector<sock_filter> take() { return std::move(code_); }

 private:
  void ancillary(int what) {
    op(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + what));
    answer_if(0, kPass);
  }
  std::vector<sock_filter> code_;
};

void judge_protocol(Program& p, const dataplane::PickupOptions& options) {
  p.find(CTA_TUPLE_ORIG);
  p.store_memory(kTuple);
  p.find_within(CTA_TUPLE_PROTO);
  p.find_within(CTA_PROTO_NUM);
  p.load_at_a(BPF_B, kHeader);
  std::vector<std::uint32_t> carried = {IPPROTO_TCP, IPPROTO_DCCP, IPPROTO_GRE};
  if (options.udp) carried.insert(carried.end(), {IPPROTO_UDP, IPPROTO_UDPLITE});
  if (options.icmp) carried.insert(carried.end(), {IPPROTO_ICMP, IPPROTO_ICMPV6});
  if (options.sctp) carried.push_back(IPPROTO_SCTP);
  for (std::size_t left = carried.size(); left > 0; --left)
    p.skip_if(carried[carried.size() - left], static_cast<std::uint8_t>(left));
  p.answer(kDrop);
}

// A session that is not assured is not sent, so neither is its end.
void judge_assured(Program& p) {
  p.find(CTA_STATUS);
  p.load_at_a(BPF_W, kHeader);
  p.op(BPF_ALU | BPF_AND | BPF_K, IPS_ASSURED);
  p.answer_if(0, kDrop);
}

void find_addresses(Program& p, std::uint32_t source, std::uint32_t destination) {
  p.load_memory(kTuple);
  p.find_within(CTA_TUPLE_IP);
  p.store_memory(kTuple);
  p.find_within(source);
  p.store_memory(kSource);
  p.load_memory(kTuple);
  p.find_within(destination);
  p.store_memory(kDestination);
}

// Drops when the address at `cell` is within the prefix.
void drop_within(Program& p, Memory cell, Bytes address, unsigned length) {
  const std::size_t words = (length + 31) / 32;
  p.load_memory(cell);
  p.op(BPF_MISC | BPF_TAX, 0);
  for (std::size_t i = 0; i < words; ++i) {
    const unsigned bits = std::min(32u, length - static_cast<unsigned>(32 * i));
    const std::uint32_t mask = bits == 32 ? 0xffffffffu : ~(0xffffffffu >> bits);
    p.op(BPF_LD | BPF_W | BPF_IND, kHeader + static_cast<std::uint32_t>(4 * i));
    p.op(BPF_ALU | BPF_AND | BPF_K, mask);
    // The rest of the words, three instructions each, and the answer.
    p.skip_unless(load_be<std::uint32_t>(address.data() + 4 * i) & mask,
                  static_cast<std::uint8_t>(3 * (words - i - 1) + 1));
  }
  p.answer(kDrop);
}

void judge_addresses(Program& p, const dataplane::PickupOptions& options, bool ipv6) {
  constexpr std::size_t kMostOfAPrefix = 2 * (2 + 3 * 4 + 1);
  constexpr std::size_t kRoom = BPF_MAXINSNS / 2 - 64;  // of each family
  if (ipv6)
    find_addresses(p, CTA_IP_V6_SRC, CTA_IP_V6_DST);
  else
    find_addresses(p, CTA_IP_V4_SRC, CTA_IP_V4_DST);
  constexpr std::uint8_t kLoopback4[4] = {127};
  constexpr std::uint8_t kLoopback6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  drop_within(p, kSource, ipv6 ? Bytes(kLoopback6) : Bytes(kLoopback4), ipv6 ? 128 : 8);
  for (const dataplane::Prefix& prefix : options.exclude) {
    if (prefix.ipv6 != ipv6 || p.size() + kMostOfAPrefix > kRoom) continue;
    const unsigned length = std::min<unsigned>(prefix.length, ipv6 ? 128 : 32);
    drop_within(p, kSource, prefix.address, length);
    drop_within(p, kDestination, prefix.address, length);
  }
  p.answer(kPass);
}

}  // namespace

std::vector<sock_filter> event_filter(const dataplane::PickupOptions& options) {
  Program p;
  p.op(BPF_LD | BPF_B | BPF_ABS, kSubsystemAt);
  p.skip_if(NFNL_SUBSYS_CTNETLINK, 1);
  p.answer(kPass);
  if (!options.enabled) {
    p.answer(kDrop);
    return p.take();
  }
  judge_protocol(p, options);
  if (options.only_assured) judge_assured(p);
  Program ipv4, ipv6;
  judge_addresses(ipv4, options, false);
  judge_addresses(ipv6, options, true);
  p.op(BPF_LD | BPF_B | BPF_ABS, kFamilyAt);
  p.skip_if(AF_INET6, 1);
  p.op(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(ipv6.size()));
  p.append(ipv6);
  p.append(ipv4);
  return p.take();
}

}  // namespace hotpair::conntrack
