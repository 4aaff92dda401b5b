#include "agent/core/route_wire.hpp"

#include <bit>

namespace hotpair::agent {
namespace {

constexpr std::size_t kEntriesMessage = 128u << 10;
constexpr std::size_t kOfferFixed = 8, kOutcomeFixed = 17;

std::string text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

ByteVector encode(const RouteOffer& offer) {
  ByteVector bytes(kOfferFixed + offer.digests.size() * sizeof(std::uint64_t));
  ByteWriter out(bytes);
  out.u32(offer.entries);
  out.u32(static_cast<std::uint32_t>(offer.digests.size()));
  for (const std::uint64_t digest : offer.digests) out.u64(digest);
  return bytes;
}

std::optional<RouteOffer> decode_offer(Bytes bytes) {
  ByteReader in(bytes);
  RouteOffer offer;
  offer.entries = in.u32();
  const std::uint32_t buckets = in.u32();
  if (in.failed() || buckets < kMinRouteBuckets || buckets > kMaxRouteBuckets ||
      !std::has_single_bit(buckets) || in.remaining() != buckets * sizeof(std::uint64_t) ||
      offer.entries > kMaxRouteEntries)
    return std::nullopt;
  offer.digests.resize(buckets);
  for (std::uint64_t& digest : offer.digests) digest = in.u64();
  return offer;
}

ByteVector encode_want(const std::vector<bool>& buckets) {
  ByteVector bytes((buckets.size() + 7) / 8);
  for (std::size_t i = 0; i < buckets.size(); ++i)
    if (buckets[i]) bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | (0x80u >> (i % 8)));
  return bytes;
}

std::optional<std::vector<bool>> decode_want(Bytes bytes, std::size_t buckets) {
  if (bytes.size() != (buckets + 7) / 8) return std::nullopt;
  std::vector<bool> wanted(buckets);
  for (std::size_t i = 0; i < buckets; ++i) wanted[i] = (bytes[i / 8] & (0x80u >> (i % 8))) != 0;
  return wanted;
}

bool RouteEntryWriter::add(const std::string& key, const std::string& value) {
  const std::size_t before = bytes_.size();
  bytes_.resize(before + 1 + key.size() + 2 + value.size());
  ByteWriter out(MutableBytes(bytes_).subspan(before));
  out.u8(static_cast<std::uint8_t>(key.size()));
  out.put(std::string_view(key));
  out.u16(static_cast<std::uint16_t>(value.size()));
  out.put(std::string_view(value));
  return bytes_.size() >= kEntriesMessage;
}

bool decode_entries(Bytes bytes, const std::vector<bool>& wanted, RouteTable& out) {
  ByteReader in(bytes);
  const auto buckets = static_cast<std::uint32_t>(wanted.size());
  while (in.remaining() > 0) {
    RouteEntry entry;
    entry.key = text_of(in.take(in.u8()));
    entry.value = text_of(in.take(in.u16()));
    if (in.failed() || out.size() >= kMaxRouteEntries || !decode(entry) ||
        !wanted[route_bucket_of(entry.key, buckets)])
      return false;
    out.set(std::move(entry.key), std::move(entry.value));
  }
  return !in.failed();
}

ByteVector encode(const RouteOutcome& outcome) {
  const std::string_view text = std::string_view(outcome.text).substr(0, kMaxOutcomeText);
  ByteVector bytes(kOutcomeFixed + text.size());
  ByteWriter out(bytes);
  out.u8(outcome.ok ? 1 : 0);
  out.u32(outcome.installed);
  out.u32(outcome.waiting);
  out.u32(outcome.own);
  out.u32(outcome.refused);
  out.put(text);
  return bytes;
}

std::optional<RouteOutcome> decode_outcome(Bytes bytes) {
  ByteReader in(bytes);
  RouteOutcome outcome;
  const std::uint8_t ok = in.u8();
  outcome.ok = ok == 1;
  outcome.installed = in.u32();
  outcome.waiting = in.u32();
  outcome.own = in.u32();
  outcome.refused = in.u32();
  if (in.failed() || ok > 1 || in.remaining() > kMaxOutcomeText) return std::nullopt;
  outcome.text = text_of(in.take(in.remaining()));
  return outcome;
}

}  // namespace hotpair::agent
