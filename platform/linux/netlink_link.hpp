// The kernel's network devices as it tells of them: a dump at the start, then events
// (RTNLGRP_LINK). An overrun of the event socket leads to a fresh dump whose differences are
// reported like events. Nothing is ever polled. Sources: rtnetlink(7), linux/if_link.h,
// linux/ethtool.h (ETHTOOL_GLINKSETTINGS). Belongs to one thread and to the network namespace it
// was opened in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/result.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

// What the bonding driver says of a member (IFLA_BOND_SLAVE_*).
struct BondMember {
  bool mii_up = false;
  bool active = false;              // carries traffic by the bond's mode (not a standby member)
  std::uint16_t aggregator_id = 0;  // 802.3ad; 0: none
  std::uint8_t actor_state = 0;     // 802.3ad port state bits
  std::uint16_t partner_state = 0;
  friend bool operator==(const BondMember&, const BondMember&) = default;
};

struct LinkInfo {
  int ifindex = 0;
  std::string name;
  MacAddress mac{};  // zero when it has no Ethernet address
  bool admin_up = false;
  bool carrier = false;  // may carry traffic now: IFF_LOWER_UP and operstate up or unknown
  std::uint32_t mtu = 0;
  std::optional<std::uint32_t> speed_mbps;  // none: the driver does not know, or no carrier
  std::string kind;  // "bond", "team", "vrf", "vlan", "veth", ...; empty: a physical NIC
  int master = 0;    // ifindex of the bond, team, bridge or VRF it belongs to
  int parent = 0;    // ifindex below a vlan or macvlan, in this namespace
  std::optional<BondMember> bond_member;
  std::optional<std::uint8_t>
      bond_mode;                      // of a bond: 0 balance-rr, 1 active-backup, 4 802.3ad, ...
  std::uint16_t bond_aggregator = 0;  // of an 802.3ad bond: the active aggregator
  std::uint32_t vrf_table = 0;        // of a VRF: its routing table
  friend bool operator==(const LinkInfo&, const LinkInfo&) = default;
};

struct LinkChange {
  enum class What : std::uint8_t { appeared, changed, renamed, removed } what = What::changed;
  LinkInfo link;         // as it is now; removed: as it was last
  std::string old_name;  // renamed only
};

struct LinkCounters {
  std::uint64_t events = 0, overruns = 0, dumps = 0, malformed = 0;
};

class LinkMonitor {
 public:
  using Callback = std::function<void(const LinkChange&)>;

  // Returns after the first dump: what is there is known, and no callback was made for it.
  static Result<std::unique_ptr<LinkMonitor>> open();
  ~LinkMonitor();

  int fd() const;                     // readable: call handle_readable()
  void on_change(Callback callback);  // only for what differs from what was known
  Status handle_readable();  // bounded; an error means: events are lost, open a new monitor

  const LinkInfo* find(const std::string& name) const;  // valid until the next handle_readable()
  const LinkInfo* find(int ifindex) const;
  std::vector<LinkInfo> members_of(int master) const;
  std::vector<LinkInfo> all() const;
  const LinkCounters& counters() const;

  // How many events of the device were handled. What a LinkReader was told after they had been is
  // newer than they are: learn() takes its carrier over, like an event, and says whether it was
  // news. It does nothing when a further event was handled meanwhile.
  std::uint64_t events_of(int ifindex) const;
  bool learn(const LinkInfo& link, std::uint64_t events);

 private:
  struct State;
  explicit LinkMonitor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hotpair::sys
