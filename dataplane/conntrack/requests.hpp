// Writes ctnetlink requests one after another into one buffer, ready for a single sendmsg. Pure:
// knows the message format (linux/netfilter/nfnetlink_conntrack.h) and no socket.
#pragma once

#include <cstdint>

#include "dataplane/conntrack/message_writer.hpp"
#include "dataplane/core/session.hpp"

namespace hotpair::conntrack {

class RequestWriter : private MessageWriter {
 public:
  explicit RequestWriter(std::size_t max_requests) : MessageWriter(max_requests) {}

  // A new entry; the kernel answers EEXIST when either direction's tuple is taken. `sequence` comes
  // back in the answer.
  void create(const dataplane::Session& session, std::uint32_t timeout_s, std::uint32_t sequence);
  // An existing entry's state; ENOENT when there is none with this reply direction. NAT cannot be
  // changed once an entry is made and is not mentioned.
  void update(const dataplane::Session& session, std::uint32_t timeout_s, std::uint32_t sequence);
  // Only an existing entry's timeout.
  void set_timeout(const dataplane::SessionKey& key, std::uint32_t timeout_s,
                   std::uint32_t sequence);
  // Whatever entry holds the original tuple, in either of its directions; or the reply's.
  void remove(const dataplane::SessionKey& key, std::uint32_t sequence);
  void remove_reply(const dataplane::Session& session, std::uint32_t sequence);
  // What the helper of `master` expects. A new one the kernel gives the helper's own timeout; of
  // one that is there only the timeout is set.
  void expect(const dataplane::Session& master, const dataplane::Expectation& expectation,
              std::uint32_t timeout_s, bool may_create, std::uint32_t sequence);
  void forget(const dataplane::SessionKey& master, const dataplane::Expectation& expectation,
              std::uint32_t sequence);
  // Asks for one entry, whole; for the whole table; for all that is expected.
  void get(const dataplane::SessionKey& key, std::uint32_t sequence);
  void dump(std::uint32_t sequence);
  void dump_expectations(std::uint32_t sequence);

  using MessageWriter::clear;
  using MessageWriter::has_room;
  using MessageWriter::written;

 private:
  void put_nat(std::uint16_t type, const dataplane::SessionKey& key,
               const dataplane::Address& address, std::uint16_t port);
  void put_nat_of(const dataplane::Session& session);
  void put_protocol_info(const dataplane::Session& session);
  void put_tcp(const dataplane::SessionState& state);
  void put_sctp(const dataplane::SessionState& state);
  void put_dccp(const dataplane::SessionState& state);
  void put_status(const dataplane::Session& session, std::uint32_t unchanged);
  void put_state(const dataplane::Session& session, std::uint32_t unchanged);
  void put_extras(const dataplane::Extras& extras);
  void put_sequence(std::uint16_t type, const dataplane::SequenceAdjustment& adjustment);
  void put_expected(const dataplane::SessionKey& master, const dataplane::Expectation& expectation);
  void put_saved(const dataplane::SessionKey& master, const dataplane::Expectation& expectation);
};

// The reply direction as the kernel itself derives it when no NAT is at work.
dataplane::Tuple untranslated_reply(const dataplane::SessionKey& key);

}  // namespace hotpair::conntrack
