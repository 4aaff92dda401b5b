// What does not fit a compact session, by kind: 16 bytes for NAT of IPv4, 36 for IPv6, more for
// both and for extras.
#pragma once

#include <cstdint>

#include "dataplane/core/compact_session.hpp"
#include "dataplane/core/side_pool.hpp"

namespace hotpair::dataplane {

class SideStore {
 public:
  struct Ends {
    Address src, dst;
  };

  // Sets compact.side, for the session in slot `owner`.
  void put(const SessionView& session, std::uint32_t owner, CompactSession& compact);
  void remove(const CompactSession& compact, std::uint32_t owner);
  void change_owner(const CompactSession& compact, std::uint32_t from, std::uint32_t to);
  // The whole session. What damaged memory does not lead to is zero.
  Session expanded(const CompactSession& compact, std::uint32_t owner) const;
  // Of IPv6; null where damaged memory leads to none.
  const Ends* addresses(const CompactSession& compact, std::uint32_t owner) const;
  std::size_t memory() const { return nat_.memory() + ipv6_.memory() + wide_.memory(); }

 private:
  struct Nat {
    std::uint32_t src = 0, dst = 0;
    std::uint16_t src_port = 0, dst_port = 0;
  };
  struct Wide {
    Ends ends;
    SessionState state;
  };

  SidePool<Nat> nat_;
  SidePool<Ends> ipv6_;
  SidePool<Wide> wide_;
};

}  // namespace hotpair::dataplane
