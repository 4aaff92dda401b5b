// The sessions of the measurement and how they change: ordinary IPv4 TCP connections, and on
// request some share of IPv6 and NAT. A number always gives the same session.
//
// Among them every so often a probe: a session whose mark is the time at which it was told, so
// that the other end can say how long it took.
#pragma once

#include <cstdint>

#include "dataplane/core/compact_session.hpp"
#include "dataplane/core/session.hpp"
#include "platform/base/time.hpp"
#include "tools/bench/sync/options.hpp"

namespace hotpair::bench::sync {

class Load {
 public:
  explicit Load(const Options& options)
      : ipv6_percent_(options.ipv6_percent), nat_percent_(options.nat_percent) {}

  dataplane::SessionKey key(std::uint32_t number) const;
  // As it is after `version` updates: it walks through the states of a connection.
  dataplane::Session session(std::uint32_t number, std::uint32_t version) const;
  // The same of one that is plain().
  void write(std::uint32_t number, std::uint32_t version, dataplane::CompactSession& out) const;
  bool plain(std::uint32_t number) const { return !ipv6(number) && !nat(number); }

  static dataplane::Session probe(std::uint32_t number, Instant now);
  // False for most that are none.
  static bool may_be_probe(const dataplane::SessionView& session) {
    return session.compact.protocol == dataplane::kProtocolUdp;
  }
  static bool is_probe(const dataplane::SessionKey& key);
  static Duration age_of_probe(const dataplane::Session& session, Instant now);

 private:
  bool ipv6(std::uint32_t number) const { return number % 100 < ipv6_percent_; }
  bool nat(std::uint32_t number) const { return number / 100 % 100 < nat_percent_; }

  unsigned ipv6_percent_, nat_percent_;
};

}  // namespace hotpair::bench::sync
