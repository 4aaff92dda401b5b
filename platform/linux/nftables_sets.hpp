// The elements of nftables' sets and maps: read whole, changed in transactions. Sources:
// linux/netfilter/nf_tables.h, nfnetlink.h. Belongs to one thread at a time and to the network
// namespace it was opened in.
#pragma once

#include <set>
#include <span>

#include "platform/base/result.hpp"
#include "platform/linux/netlink_socket.hpp"
#include "platform/linux/nftables_elements.hpp"

namespace hotpair::sys {

struct NftSet : NftSetId {
  bool paired = false;          // its intervals' ends are elements of their own
  bool by_index = false;        // its keys are indexes of devices, which each box numbers itself
  bool comes_and_goes = false;  // elements have timeouts, or packets add them
};

class NftablesSets {
 public:
  static Result<NftablesSets> open();

  // All that have a name.
  Result<std::vector<NftSet>> list();
  // Those that rules add elements to, renew or remove them, as packets pass. Of these changes no
  // kernel tells, nor of elements whose time is over.
  Result<std::set<NftSetId>> fed_by_packets();
  // At most `most` elements, else it fails.
  Result<std::vector<NftElement>> read(const NftSet& set, std::size_t most);
  // Removes and then adds, in few transactions, the first that fails being the last. What is to be
  // removed must be there; to change an element, remove it and add it.
  Status change(const NftSet& set, std::span<const std::string> removed_keys,
                std::span<const NftElement> added);

  // What the kernel calls who asks here: NftablesWatch::Wanted of what it changed.
  std::uint32_t port() const { return port_; }

 private:
  template <typename Found>
  Result<Found> dump(int what, void (*take)(nlmsghdr&, Found&));
  NftablesSets(NetlinkSocket socket, std::uint32_t port)
      : socket_(std::move(socket)), port_(port) {}
  Status send_batch(const NftSet& set, std::span<const std::pair<int, std::string>> messages);
  Status await(std::uint32_t first, std::uint32_t last);

  NetlinkSocket socket_;
  std::uint32_t port_;
};

}  // namespace hotpair::sys
