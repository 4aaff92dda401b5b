// Hears of changes of the nftables ruleset, whoever makes them. Sources:
// linux/netfilter/nf_tables.h (NFT_MSG_*), nfnetlink.h. One thread.
#pragma once

#include <set>
#include <string>

#include "platform/linux/netlink_socket.hpp"

namespace hotpair::sys {

class NftablesWatch {
 public:
  static Result<NftablesWatch> open();
  int fd() const { return socket_.fd(); }

  struct Heard {
    bool changed = false;
    bool lost = false;              // events were lost: anything may have happened
    std::set<std::string> deleted;  // tables that were deleted; they may be there again
    std::set<std::string> tables;   // in which anything changed, those too
    std::set<std::string> ruled;    // of these, in which more changed than elements
    std::set<std::string> sets;     // names of sets and maps in which elements changed
  };
  // Everything that waits, without blocking.
  Heard read();

 private:
  explicit NftablesWatch(NetlinkSocket socket) : socket_(std::move(socket)) {}
  NetlinkSocket socket_;
};

}  // namespace hotpair::sys
