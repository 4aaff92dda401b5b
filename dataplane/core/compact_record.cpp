// Records near the end of a frame, where there may be less room than the longest takes.
#include "dataplane/core/compact_record.hpp"

namespace hotpair::dataplane::compact {

std::size_t write_near_end(RecordKind kind, std::uint32_t id, const CompactSession& session,
                           MutableBytes out) {
  std::array<std::uint8_t, kMost> scratch;
  const std::size_t size = write(kind, id, session, scratch.data());
  if (size > out.size()) return 0;
  std::memcpy(out.data(), scratch.data(), size);
  return size;
}

Decoded read_near_end(ByteReader& in, CompactRecord& out) {
  ByteReader ahead = in;
  const Decoded decoded = read(ahead, out);
  if (decoded == Decoded::whole) return decoded;
  if (ahead.failed()) return Decoded::malformed;
  if (decoded == Decoded::done) in = ahead;
  return decoded;
}

}  // namespace hotpair::dataplane::compact
