// Bonds and teams as their drivers tell of them, from bytes: this machine's kernel may have
// neither. The layout is that of rtnl_fill_ifinfo() in net/core/rtnetlink.c, bond_fill_info() and
// bond_fill_slave_info() in drivers/net/bonding/bond_netlink.c (Linux 6.1), attribute by attribute
// in the order in which the kernel writes them, with the widths it uses.
#include <cstring>
#include <vector>

#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "platform/linux/netlink_link_parse.hpp"

namespace hotpair::sys {
namespace {

using Buffer = std::vector<std::uint8_t>;

template <typename T>
Buffer number(T value) {  // host byte order, as everywhere in rtnetlink
  Buffer bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

Buffer text(const char* value) {
  return Buffer(value, value + std::strlen(value) + 1);
}

Buffer operator+(Buffer a, const Buffer& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Length and type, then the content, padded to four bytes; the length is without the padding.
Buffer attribute(int type, const Buffer& content) {
  Buffer bytes = number(static_cast<std::uint16_t>(4 + content.size())) +
                 number(static_cast<std::uint16_t>(type)) + content;
  bytes.resize((bytes.size() + 3) & ~std::size_t{3});
  return bytes;
}

Buffer new_link(int ifindex, unsigned flags, const Buffer& attributes) {
  ifinfomsg fixed{};
  fixed.ifi_type = 1;  // ARPHRD_ETHER
  fixed.ifi_index = ifindex;
  fixed.ifi_flags = flags;
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof(header) + sizeof(fixed) + attributes.size());
  header.nlmsg_type = RTM_NEWLINK;
  return number(header) + number(fixed) + attributes;
}

std::optional<LinkInfo> parsed(Buffer message) {
  return parse_link(*reinterpret_cast<nlmsghdr*>(message.data()));
}

constexpr unsigned kLowerUp = 1u << 16;  // IFF_LOWER_UP
constexpr unsigned kMemberUp = IFF_UP | IFF_BROADCAST | IFF_RUNNING | IFF_SLAVE | kLowerUp;

struct Member {
  std::uint8_t state = 0;       // BOND_STATE_ACTIVE
  std::uint8_t mii_status = 0;  // BOND_LINK_UP
  std::uint16_t aggregator = 1;
  std::uint8_t actor = 0x3d;  // active, aggregating, in sync, collecting, distributing
  std::uint16_t partner = 0x3d;
};

Buffer bond_member(const Member& member, bool lacp, unsigned flags = kMemberUp) {
  Buffer data =
      attribute(IFLA_BOND_SLAVE_STATE, number(member.state)) +
      attribute(IFLA_BOND_SLAVE_MII_STATUS, number(member.mii_status)) +
      attribute(IFLA_BOND_SLAVE_LINK_FAILURE_COUNT, number(std::uint32_t{3})) +
      attribute(IFLA_BOND_SLAVE_PERM_HWADDR, {2, 0, 0, 0, 0, 7}) +
      attribute(IFLA_BOND_SLAVE_QUEUE_ID, number(std::uint16_t{0})) +
      attribute(9, number(std::int32_t{0}));  // IFLA_BOND_SLAVE_PRIO, newer than some headers
  if (lacp)
    data = data + attribute(IFLA_BOND_SLAVE_AD_AGGREGATOR_ID, number(member.aggregator)) +
           attribute(IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE, number(member.actor)) +
           attribute(IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE, number(member.partner));
  return new_link(7, flags,
                  attribute(IFLA_IFNAME, text("ens7")) + attribute(IFLA_MASTER, number(12u)) +
                      attribute(IFLA_OPERSTATE, number(std::uint8_t{6})) +
                      attribute(IFLA_ADDRESS, {2, 0, 0, 0, 0, 1}) +
                      attribute(IFLA_LINKINFO, attribute(IFLA_INFO_SLAVE_KIND, text("bond")) +
                                                   attribute(IFLA_INFO_SLAVE_DATA, data)));
}

Buffer bond(std::uint8_t mode, std::uint16_t aggregator) {
  Buffer data =
      attribute(IFLA_BOND_MODE, number(mode)) + attribute(IFLA_BOND_ACTIVE_SLAVE, number(7u)) +
      attribute(IFLA_BOND_MIIMON, number(100u)) + attribute(IFLA_BOND_UPDELAY, number(0u)) +
      attribute(IFLA_BOND_ARP_IP_TARGET, attribute(0, {192, 0, 2, 9}));
  if (mode == 4)
    data = data + attribute(IFLA_BOND_AD_INFO,
                            attribute(IFLA_BOND_AD_INFO_AGGREGATOR, number(aggregator)) +
                                attribute(IFLA_BOND_AD_INFO_NUM_PORTS, number(std::uint16_t{2})) +
                                attribute(IFLA_BOND_AD_INFO_ACTOR_KEY, number(std::uint16_t{15})) +
                                attribute(IFLA_BOND_AD_INFO_PARTNER_KEY, number(std::uint16_t{9})) +
                                attribute(IFLA_BOND_AD_INFO_PARTNER_MAC, {2, 9, 9, 9, 9, 9}));
  return new_link(
      12, IFF_UP | IFF_RUNNING | IFF_MASTER | kLowerUp,
      attribute(IFLA_IFNAME, text("bond0")) + attribute(IFLA_OPERSTATE, number(std::uint8_t{6})) +
          attribute(IFLA_LINKINFO,
                    attribute(IFLA_INFO_KIND, text("bond")) + attribute(IFLA_INFO_DATA, data)));
}

TEST(BondBytesTest, AnLacpBondTellsItsModeAndItsActiveAggregator) {
  const auto link = parsed(bond(4, 2));
  ASSERT_TRUE(link);
  EXPECT_EQ(link->name, "bond0");
  EXPECT_EQ(link->kind, "bond");
  EXPECT_EQ(link->bond_mode, 4);
  EXPECT_EQ(link->bond_aggregator, 2);
  EXPECT_TRUE(link->carrier);
}

TEST(BondBytesTest, AnLacpMemberTellsItsAggregatorAndBothPortStates) {
  const auto link = parsed(bond_member({0, 0, 2, 0x3f, 0x3d}, true));
  ASSERT_TRUE(link && link->bond_member);
  EXPECT_EQ(link->master, 12);
  EXPECT_EQ(*link->bond_member, (BondMember{true, true, 2, 0x3f, 0x3d}));
}

TEST(BondBytesTest, AStandbyMemberAndOneThatLinkMonitoringGaveUpAreTold) {
  EXPECT_FALSE(parsed(bond_member({1}, false))->bond_member->active);
  EXPECT_FALSE(parsed(bond_member({0, 2}, false))->bond_member->mii_up);  // BOND_LINK_DOWN
  EXPECT_FALSE(parsed(bond_member({0, 1}, false))->bond_member->mii_up);  // BOND_LINK_FAIL
}

TEST(BondBytesTest, AMemberThatIsNotLacpHasNoAggregator) {
  const auto link = parsed(bond_member({}, false));
  EXPECT_EQ(link->bond_member->aggregator_id, 0);
  EXPECT_EQ(link->bond_member->actor_state, 0);
}

TEST(BondBytesTest, ATeamsMemberIsNoBondMember) {
  const auto link =
      parsed(new_link(7, kMemberUp,
                      attribute(IFLA_IFNAME, text("ens7")) + attribute(IFLA_MASTER, number(12u)) +
                          attribute(IFLA_LINKINFO, attribute(IFLA_INFO_SLAVE_KIND, text("team")))));
  ASSERT_TRUE(link);
  EXPECT_FALSE(link->bond_member);
  EXPECT_EQ(link->master, 12);
}

TEST(BondBytesTest, AMessageThatIsCutAnywhereIsNeverReadBeyondItsEnd) {
  const Buffer whole = bond_member({0, 0, 2, 0x3f, 0x3d}, true);
  for (std::size_t size = sizeof(nlmsghdr) + sizeof(ifinfomsg); size < whole.size(); ++size) {
    Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto length = static_cast<std::uint32_t>(size);
    std::memcpy(cut.data(), &length, sizeof(length));
    (void)parsed(cut);
  }
}

}  // namespace
}  // namespace hotpair::sys
