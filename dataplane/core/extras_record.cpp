#include "dataplane/core/extras_record.hpp"

#include <algorithm>
#include <array>

#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {
namespace {

// Per expectation: protocol, flags, class, timeout, tuple, mask, translation, function.
constexpr std::size_t kExpectationBytes = 1 + 1 + 1 + 4 + 36 + 18 + 1 + 18 + 24;
// Labels, helper, sequence, synproxy, SCTP, DCCP, master, zone, count of expectations.
constexpr std::size_t kFixedBytes = 16 + 16 + 24 + 12 + 8 + 7 + 37 + 2 + 1;
static_assert(kFixedBytes + kMaxExpectations * kExpectationBytes <= kMaxExtras);

constexpr std::uint64_t kHandshakeMask = (std::uint64_t{1} << 48) - 1;

void put_address(ByteWriter& out, const Address& address, bool ipv6) {
  out.put(Bytes(address.bytes).first(ipv6 ? 16 : 4));
}
void get_address(ByteReader& in, Address& address, bool ipv6) {
  const Bytes bytes = in.take(ipv6 ? 16 : 4);
  std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
}
void put_tuple(ByteWriter& out, const Tuple& tuple, bool ipv6) {
  put_address(out, tuple.src, ipv6);
  put_address(out, tuple.dst, ipv6);
  out.u16(tuple.src_port);
  out.u16(tuple.dst_port);
}
void get_tuple(ByteReader& in, Tuple& tuple, bool ipv6) {
  get_address(in, tuple.src, ipv6);
  get_address(in, tuple.dst, ipv6);
  tuple.src_port = in.u16();
  tuple.dst_port = in.u16();
}

template <std::size_t N>
void put_name(ByteWriter& out, const Name<N>& name) {
  out.u8(static_cast<std::uint8_t>(name.text().size()));
  out.put(name.text());
}
template <std::size_t N>
bool get_name(ByteReader& in, Name<N>& name) {
  const Bytes bytes = in.take(in.u8());
  return !in.failed() && name.assign({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void put_expectation(ByteWriter& out, const Expectation& e, bool ipv6) {
  out.u8(e.protocol);
  out.u8(e.flags);
  out.u8(e.policy_class);
  out.u32(e.timeout_s);
  put_tuple(out, e.tuple, ipv6);
  put_address(out, e.source_mask, ipv6);
  out.u16(e.source_port_mask);
  out.u8(e.translated ? static_cast<std::uint8_t>(1 + e.saved_direction) : std::uint8_t{0});
  if (e.translated) {
    put_address(out, e.saved_address, ipv6);
    out.u16(e.saved_port);
  }
  put_name(out, e.function);
}
bool get_expectation(ByteReader& in, Expectation& e, bool ipv6) {
  e.protocol = in.u8();
  e.flags = in.u8();
  e.policy_class = in.u8();
  e.timeout_s = in.u32();
  get_tuple(in, e.tuple, ipv6);
  get_address(in, e.source_mask, ipv6);
  e.source_port_mask = in.u16();
  const std::uint8_t translation = in.u8();
  if (translation > 2) return false;
  e.translated = translation != 0;
  if (e.translated) {
    e.saved_direction = static_cast<std::uint8_t>(translation - 1);
    get_address(in, e.saved_address, ipv6);
    e.saved_port = in.u16();
  }
  return get_name(in, e.function);
}

void put_sequence(ByteWriter& out, const SequenceAdjustment& s) {
  out.u32(s.position);
  out.u32(static_cast<std::uint32_t>(s.before));
  out.u32(static_cast<std::uint32_t>(s.after));
}
void get_sequence(ByteReader& in, SequenceAdjustment& s) {
  s.position = in.u32();
  s.before = static_cast<std::int32_t>(in.u32());
  s.after = static_cast<std::int32_t>(in.u32());
}

bool get_expectations(ByteReader& in, std::vector<Expectation>& out, bool ipv6) {
  const std::size_t count = in.u8();
  if (count > kMaxExpectations) return false;
  out.resize(count);
  return std::all_of(out.begin(), out.end(),
                     [&](Expectation& e) { return get_expectation(in, e, ipv6); });
}

void clear_tail(Address& address) {
  std::fill(address.bytes.begin() + 4, address.bytes.end(), std::uint8_t{0});
}
void clear_tails(Tuple& tuple) {
  clear_tail(tuple.src);
  clear_tail(tuple.dst);
}

void normalise(Expectation& e, bool ipv6) {
  if (!ipv6) {
    clear_tails(e.tuple);
    clear_tail(e.source_mask);
    clear_tail(e.saved_address);
  }
  e.saved_direction &= 1;
  if (e.translated) return;
  e.saved_direction = 0;
  e.saved_address = {};
  e.saved_port = 0;
}

void normalise(std::vector<Expectation>& list, bool ipv6) {
  for (Expectation& e : list) normalise(e, ipv6);
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  if (list.size() > kMaxExpectations) list.resize(kMaxExpectations);
}

}  // namespace

Extras normalised(const Extras& extras, const SessionKey& key) {
  Extras e = extras;
  e.parts &= Extras::kAllParts;
  if (!key.ipv6) clear_tails(e.master);
  e.dccp_role &= 1;
  e.dccp_handshake &= kHandshakeMask;
  normalise(e.expectations, key.ipv6);
  const auto keep = [&e](Extras::Part part, bool says_something) {
    if (!e.has(part) || !says_something) e.drop(part);
  };
  keep(Extras::kLabels, true);  // all zero: there were some
  keep(Extras::kHelper, !e.helper.empty());
  keep(Extras::kSequence, e.sequence != Extras{}.sequence);
  keep(Extras::kSynproxy, e.synproxy != SynproxyState{});
  keep(Extras::kSctp, key.protocol == kProtocolSctp);
  keep(Extras::kDccp, key.protocol == kProtocolDccp);
  keep(Extras::kMaster, true);
  keep(Extras::kReplyZone, e.reply_zone != key.zone);
  keep(Extras::kExpectations, !e.expectations.empty());
  return e;
}

void encode_extras(const Extras& e, bool ipv6, ByteWriter& out) {
  if (e.has(Extras::kLabels)) out.put(Bytes(e.labels));
  if (e.has(Extras::kHelper)) put_name(out, e.helper);
  if (e.has(Extras::kSequence))
    for (const SequenceAdjustment& s : e.sequence) put_sequence(out, s);
  if (e.has(Extras::kSynproxy)) {
    out.u32(e.synproxy.isn);
    out.u32(e.synproxy.its);
    out.u32(e.synproxy.timestamp_offset);
  }
  if (e.has(Extras::kSctp))
    for (const std::uint32_t tag : e.sctp_tags) out.u32(tag);
  if (e.has(Extras::kDccp)) {
    out.u8(e.dccp_role);
    out.u16(static_cast<std::uint16_t>(e.dccp_handshake >> 32));
    out.u32(static_cast<std::uint32_t>(e.dccp_handshake));
  }
  if (e.has(Extras::kMaster)) {
    out.u8(e.master_protocol);
    put_tuple(out, e.master, ipv6);
  }
  if (e.has(Extras::kReplyZone)) out.u16(e.reply_zone);
  if (!e.has(Extras::kExpectations)) return;
  out.u8(static_cast<std::uint8_t>(e.expectations.size()));
  for (const Expectation& expectation : e.expectations) put_expectation(out, expectation, ipv6);
}

bool decode_extras(std::uint16_t parts, bool ipv6, ByteReader& in, Extras& e) {
  if ((parts & ~Extras::kAllParts) != 0) return false;
  e = Extras{};
  e.parts = parts;
  if (e.has(Extras::kLabels)) in.copy_to(e.labels);
  if (e.has(Extras::kHelper) && !get_name(in, e.helper)) return false;
  if (e.has(Extras::kSequence))
    for (SequenceAdjustment& s : e.sequence) get_sequence(in, s);
  if (e.has(Extras::kSynproxy)) {
    e.synproxy.isn = in.u32();
    e.synproxy.its = in.u32();
    e.synproxy.timestamp_offset = in.u32();
  }
  if (e.has(Extras::kSctp))
    for (std::uint32_t& tag : e.sctp_tags) tag = in.u32();
  if (e.has(Extras::kDccp)) {
    e.dccp_role = in.u8();
    const std::uint64_t high = in.u16();
    e.dccp_handshake = high << 32 | in.u32();
  }
  if (e.has(Extras::kMaster)) {
    e.master_protocol = in.u8();
    get_tuple(in, e.master, ipv6);
  }
  if (e.has(Extras::kReplyZone)) e.reply_zone = in.u16();
  return (!e.has(Extras::kExpectations) || get_expectations(in, e.expectations, ipv6)) &&
         !in.failed();
}

std::uint64_t digest_extras(const Extras& extras) {
  std::array<std::uint8_t, kMaxExtras + 8> bytes{};
  ByteWriter out(bytes);
  encode_extras(extras, true, out);
  std::uint64_t digest = extras.parts;
  for (std::size_t at = 0; at < out.size(); at += 8)
    digest = mix_digest(digest, load_be<std::uint64_t>(bytes.data() + at));
  return mix_digest(digest, out.size());
}

}  // namespace hotpair::dataplane
