// A session's extras as bytes (WIRE.md, "Extras"), in their one normal form, and as a digest.
#pragma once

#include <cstdint>

#include "dataplane/core/session.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::dataplane {

// Extras of a session with this key: what its protocol cannot have, and what says nothing, left
// out; expectations in order.
Extras normalised(const Extras& extras, const SessionKey& key);

// The parts that extras.parts names, which stand elsewhere. The extras are normalised.
void encode_extras(const Extras& extras, bool ipv6, ByteWriter& out);
// Reads what `parts` names into `out`; false when something of it is not well formed. Whether it is
// the normal form is the caller's question.
bool decode_extras(std::uint16_t parts, bool ipv6, ByteReader& in, Extras& out);
constexpr std::size_t kMaxExtras = 960;  // bytes; static_assert in the code says why

std::uint64_t digest_extras(const Extras& extras);

}  // namespace hotpair::dataplane
