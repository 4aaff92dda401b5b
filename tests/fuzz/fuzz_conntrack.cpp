// One ctnetlink message of any content: parsed in place or named as what it is, never read past its
// end; and what is understood can be carried.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "dataplane/conntrack/requests.hpp"
#include "dataplane/conntrack/source.hpp"
#include "dataplane/core/delta_wire.hpp"
#include "dataplane/core/session_key.hpp"

namespace {

// Whatever is understood can be sent, is understood by the peer as the same, and can be written.
void carry(const hotpair::dataplane::Session& parsed) {
  namespace dataplane = hotpair::dataplane;
  const dataplane::Session session = dataplane::normalised(parsed);
  std::array<std::uint8_t, dataplane::kMaxRecord> bytes;
  const std::size_t size =
      dataplane::encode_session(dataplane::RecordKind::create, 1, session, bytes);
  hotpair::ByteReader in(hotpair::Bytes(bytes).first(size));
  dataplane::Record back;
  if (!dataplane::decode_record(in, back) || !(back.session == session)) std::abort();
  hotpair::conntrack::RequestWriter writer(2);
  writer.create(session, 60, 1);
  writer.update(session, 60, 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, aligned as netlink's are, so that the sanitizer sees every
  // overrun.
  void* copy = std::malloc(size ? size : 1);
  if (copy == nullptr) return 0;
  std::memcpy(copy, data, size);
  hotpair::dataplane::Session session;
  hotpair::dataplane::SessionKey master;
  hotpair::dataplane::Expectation expectation;
  using hotpair::conntrack::ParsedKind;
  const ParsedKind kind = hotpair::conntrack::parse_message(copy, size, session);
  if (kind == ParsedKind::upsert) carry(session);
  (void)hotpair::conntrack::parse_expectation(copy, size, master, expectation);
  std::free(copy);
  return 0;
}
