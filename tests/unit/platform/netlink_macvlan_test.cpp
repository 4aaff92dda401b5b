#include "platform/linux/netlink_macvlan.hpp"

#include <gtest/gtest.h>
#include <net/if.h>

#include "platform/linux/netlink_addr.hpp"
#include "platform/linux/netlink_link.hpp"
#include "tests/unit/platform/network_namespace.hpp"

namespace hotpair::sys {
namespace {

using test::run_command;
using What = AddressOperation::What;

constexpr MacAddress kMac{0x02, 0x48, 0x50, 0, 7, 1};

AddressOperation on_link(What what, const char* device) {
  AddressOperation operation;
  operation.what = what;
  operation.address.ifindex = static_cast<int>(if_nametoindex(device));
  return operation;
}

HOTPAIR_NETWORK_TEST(MacvlanTest, is_made_down_set_up_set_down_and_removed) {
  ASSERT_TRUE(run_command("ip link add va type veth peer name vz && ip link set va up"));
  const int parent = static_cast<int>(if_nametoindex("va"));
  const auto made = create_macvlan({"hv-a", parent, kMac, 0});
  ASSERT_TRUE(made) << made.error().message;
  const auto look = [] {
    const auto monitor = LinkMonitor::open();
    const LinkInfo* link = (*monitor)->find("hv-a");
    return link != nullptr ? std::optional(*link) : std::nullopt;
  };
  auto link = look();
  ASSERT_TRUE(link);
  EXPECT_EQ(link->kind, "macvlan");
  EXPECT_EQ(link->parent, parent);
  EXPECT_EQ(link->mac, kMac);
  EXPECT_FALSE(link->admin_up);

  auto table = std::move(*AddressTable::open());
  EXPECT_TRUE(table.apply(std::vector{on_link(What::link_up, "hv-a")})[0].ok);
  EXPECT_TRUE(look()->admin_up);
  EXPECT_TRUE(table.apply(std::vector{on_link(What::link_down, "hv-a")})[0].ok);
  EXPECT_FALSE(look()->admin_up);
  const auto removal = on_link(What::delete_link, "hv-a");
  EXPECT_TRUE(table.apply(std::vector{removal})[0].changed);
  EXPECT_FALSE(look());
  EXPECT_TRUE(table.apply(std::vector{removal})[0].ok) << "what is gone already is fine";
  EXPECT_FALSE(table.apply(std::vector{AddressOperation{What::link_up, removal.address}})[0].ok);
}

HOTPAIR_NETWORK_TEST(MacvlanTest, a_name_that_is_taken_is_refused_with_what_to_look_at) {
  ASSERT_TRUE(run_command("ip link add va type veth peer name vz"));
  const auto made = create_macvlan({"vz", static_cast<int>(if_nametoindex("va")), kMac, 0});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("cannot make the macvlan vz"), std::string::npos);
}

}  // namespace
}  // namespace hotpair::sys
