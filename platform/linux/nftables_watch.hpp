// Hears of changes of the nftables ruleset, whoever makes them. Sources:
// linux/netfilter/nf_tables.h (NFT_MSG_*), nfnetlink.h; net/netfilter/nf_tables_api.c. One thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "platform/linux/netlink_socket.hpp"
#include "platform/linux/nftables_elements.hpp"

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
    std::set<NftSetId> sets;        // in which elements changed
    // What changed in those that are wanted, in order and by whole transactions. What packets do
    // and the end of elements by themselves is not told.
    std::map<NftSetId, std::vector<NftElementEvent>> elements;
    std::set<NftSetId> untold;  // sets that were made, deleted or changed in more than is told

    // Whether `elements` has all that changed in a set.
    bool tells_all_of(const NftSetId& set) const {
      return !lost && !deleted.contains(set.table) && !untold.contains(set);
    }
  };
  // Of which set elements are to be told; `port`: NftablesSets::port() of who changed them.
  using Wanted = std::function<bool(const NftSetId&, std::uint32_t port)>;
  // Everything that waits, without blocking. Elements of a transaction that is still arriving are
  // told the next time.
  Heard read(const Wanted& wanted = {});

 private:
  explicit NftablesWatch(NetlinkSocket socket) : socket_(std::move(socket)) {}
  void visit(nlmsghdr& message, const Wanted& wanted, Heard& heard);
  void take_elements(nlmsghdr& message, const NftSetId& set, Heard& heard);
  void end_transaction(Heard& heard);

  NetlinkSocket socket_;
  std::map<NftSetId, std::vector<NftElementEvent>> arriving_;
  std::uint64_t transaction_ = 0;
};

}  // namespace hotpair::sys
