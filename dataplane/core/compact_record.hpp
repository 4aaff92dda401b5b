// The records of most sessions, written from and read into compact sessions without making whole
// ones of them. The bytes are those of delta_wire.hpp's encode_session() and decode_record().
#pragma once

#include "dataplane/core/compact_session.hpp"
#include "dataplane/core/delta_wire.hpp"

namespace hotpair::dataplane {

// A create of a session with nothing beside it, an update or a remove of any. Bytes written; 0 when
// it does not fit.
std::size_t encode_compact(RecordKind kind, std::uint32_t id, const CompactSession& session,
                           MutableBytes out);

struct CompactRecord {
  RecordKind kind = RecordKind::create;
  std::uint32_t id = 0;
  // create: all, when nothing stands beside it; update: what an update carries.
  CompactSession session;
};

enum class Decoded : std::uint8_t { malformed, done, whole };
// whole: nothing was read, it is for decode_record().
Decoded decode_compact(ByteReader& in, CompactRecord& out);

}  // namespace hotpair::dataplane
