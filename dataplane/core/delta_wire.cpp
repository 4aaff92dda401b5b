#include "dataplane/core/delta_wire.hpp"

#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {
namespace {

void put_received(ByteWriter& out, const Received& r) {
  out.u64(r.newest);
  out.u16(r.words);
  for (std::size_t i = 0; i < r.words; ++i) out.u64(r.bits[i]);
}

bool get_received(ByteReader& in, Received& r) {
  r = Received{};
  r.newest = in.u64();
  r.words = in.u16();
  if (r.words > kMaxAckWords) return false;
  for (std::size_t i = 0; i < r.words; ++i) r.bits[i] = in.u64();
  // The newest frame was received; without one nothing was.
  return r.newest == 0 ? r.words == 0 : r.words > 0 && (r.bits[0] & 1) != 0;
}

bool finished(const ByteReader& in) {
  return !in.failed() && in.remaining() == 0;
}

}  // namespace

bool Received::has(std::uint64_t sequence) const {
  if (sequence > newest) return false;
  const std::uint64_t back = newest - sequence;
  return back / 64 < words && (bits[back / 64] >> (back % 64) & 1) != 0;
}

void encode_header(const FrameHeader& header, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(header.kind));
  out.u8(header.flags);
  out.u16(header.span);
  out.u32(header.stream);
  out.u64(header.epoch);
  out.u32(header.sender);
  out.u32(header.receiver);
  out.u64(header.sequence);
}

std::optional<FrameHeader> decode_header(ByteReader& in) {
  FrameHeader header;
  const std::uint8_t kind = in.u8();
  header.kind = static_cast<FrameKind>(kind);
  header.flags = in.u8();
  header.span = in.u16();
  header.stream = in.u32();
  header.epoch = in.u64();
  header.sender = in.u32();
  header.receiver = in.u32();
  header.sequence = in.u64();
  const bool known = kind >= 1 && kind <= static_cast<std::uint8_t>(FrameKind::offer);
  if (in.failed() || !known || (header.flags & ~kFlagInSync) != 0 || header.span >= kWindowFrames ||
      header.sender == 0)
    return std::nullopt;
  return header;
}

void encode(const Marker& marker, ByteWriter& out) {
  out.u32(marker.round);
  out.u8(static_cast<std::uint8_t>(marker.want));
  out.zeros(3);
  out.u64(marker.sessions);
}

bool decode(ByteReader& in, Marker& out) {
  out.round = in.u32();
  const std::uint8_t want = in.u8();
  const bool zero = in.u8() == 0 && in.u16() == 0;
  out.want = static_cast<Marker::Want>(want);
  out.sessions = in.u64();
  return finished(in) && zero && want <= static_cast<std::uint8_t>(Marker::Want::digests);
}

void encode(const Ack& ack, ByteWriter& out) {
  out.u16(ack.credit);
  out.u32(ack.delay_us);
  out.u64(ack.sessions);
  put_received(out, ack.received);
}

bool decode(ByteReader& in, Ack& out) {
  out.credit = in.u16();
  out.delay_us = in.u32();
  out.sessions = in.u64();
  return get_received(in, out.received) && finished(in) && out.credit <= kWindowFrames;
}

void encode(const Report& report, ByteWriter& out) {
  out.u32(report.round);
  out.u16(report.first_bucket);
  out.u16(report.count);
  out.u64(report.marker);
  out.u64(report.sessions);
  out.u64(report.root);
  put_received(out, report.received);
  for (std::size_t i = 0; i < report.count; ++i) out.u64(report.digests[i]);
}

bool decode(ByteReader& in, Report& out) {
  out.round = in.u32();
  out.first_bucket = in.u16();
  out.count = in.u16();
  out.marker = in.u64();
  out.sessions = in.u64();
  out.root = in.u64();
  if (out.count > kBucketsPerReport || std::uint32_t{out.first_bucket} + out.count > kBuckets)
    return false;
  if (!get_received(in, out.received)) return false;
  out.digests.fill(0);
  for (std::size_t i = 0; i < out.count; ++i) out.digests[i] = in.u64();
  return finished(in);
}

}  // namespace hotpair::dataplane
