// The elements of nftables' sets and maps: read whole, changed in transactions. Sources:
// linux/netfilter/nf_tables.h, nfnetlink.h. Belongs to one thread at a time and to the network
// namespace it was opened in.
#pragma once

#include <span>

#include "platform/base/result.hpp"
#include "platform/linux/netlink_socket.hpp"
#include "platform/linux/nftables_elements.hpp"

namespace hotpair::sys {

struct NftSet {
  std::string family, table, name;  // family: ip, ip6, inet, bridge, arp or netdev
  bool paired = false;              // its intervals' ends are elements of their own
  bool by_index = false;        // its keys are indexes of devices, which each box numbers itself
  bool comes_and_goes = false;  // elements have timeouts, or packets add them
};

class NftablesSets {
 public:
  static Result<NftablesSets> open();

  // All that have a name.
  Result<std::vector<NftSet>> list();
  // At most `most` elements, else it fails.
  Result<std::vector<NftElement>> read(const NftSet& set, std::size_t most);
  // Removes and then adds, in few transactions, the first that fails being the last. What is to be
  // removed must be there; to change an element, remove it and add it.
  Status change(const NftSet& set, std::span<const std::string> removed_keys,
                std::span<const NftElement> added);

 private:
  explicit NftablesSets(NetlinkSocket socket) : socket_(std::move(socket)) {}
  Status send_batch(const NftSet& set, std::span<const std::pair<int, std::string>> messages);
  Status await(std::uint32_t first, std::uint32_t last);

  NetlinkSocket socket_;
};

}  // namespace hotpair::sys
