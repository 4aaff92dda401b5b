// Routes of this box under the names of the cluster, and the peer's in this box's kernel.
#include <gtest/gtest.h>
#include <net/if.h>

#include "agent/daemon/route_installer.hpp"
#include "tests/unit/platform/network_namespace.hpp"

namespace hotpair::daemon {
namespace {

using test::run_command;

RouteRules rules() {
  RouteRules r;
  r.protocols = {186};
  r.tables = {"main", "7", "tenant"};
  r.devices = {{"wan", "ens1"}, {"tenant", "vrf0"}};
  r.data_devices = {"ens1"};
  r.private_devices = {"ha0"};
  return r;
}

sys::LinkInfo link(int ifindex, const char* name, bool up = true) {
  sys::LinkInfo l;
  l.ifindex = ifindex;
  l.name = name;
  l.admin_up = up;
  return l;
}

sys::KernelRoute over(int ifindex, std::uint32_t table = 254) {
  sys::KernelRoute route;
  route.prefix = *sys::parse_ip_prefix("10.0.0.0/8");
  route.table = table;
  route.hops = {{ifindex, sys::parse_ip("192.0.2.1"), 0, false}};
  return route;
}

TEST(RouteNamesTest, TranslateDevicesAndVrfsBetweenTwoBoxes) {
  sys::LinkInfo vrf = link(4, "vrf0");
  vrf.kind = "vrf";
  vrf.vrf_table = 1001;
  const RouteNames names(rules(), {link(2, "ens1"), link(3, "ha0"), vrf, link(5, "wan")});
  EXPECT_TRUE(names.takes(186, 254) && names.takes(186, 7) && names.takes(186, 1001));
  EXPECT_FALSE(names.takes(4, 254) || names.takes(186, 1002));

  const auto shared = names.shared(over(2, 1001));
  ASSERT_TRUE(shared);
  EXPECT_EQ(shared->vrf, "tenant");
  EXPECT_EQ(shared->table, 0u);
  EXPECT_EQ(shared->hops[0].device, "wan");
  EXPECT_FALSE(names.shared(over(3))) << "the heartbeat cables are each box's own";
  EXPECT_FALSE(names.shared(over(5))) << "'wan' is another device at the peer";
  EXPECT_FALSE(names.shared(over(99)));

  sys::LinkInfo other_vrf = vrf;
  other_vrf.vrf_table = 2002;
  const RouteNames there(rules(), {link(12, "ens1"), other_vrf});
  const auto local = there.local(*shared);
  ASSERT_TRUE(local);
  EXPECT_EQ(local->table, 2002u);
  EXPECT_EQ(local->hops[0].ifindex, 12);
  EXPECT_TRUE(local->hops[0].onlink) << "a backup has no address there";
  EXPECT_EQ(local->protocol, 172);
  EXPECT_FALSE(RouteNames(rules(), {link(12, "ens1", false), other_vrf}).local(*shared)) << "down";
  EXPECT_FALSE(RouteNames(rules(), {link(12, "ens1")}).local(*shared)) << "no such VRF";
}

struct Kernel {
  sys::RouteTables tables = std::move(*sys::RouteTables::open());
  RouteInstaller installer{tables};
  RouteRules rules;
  agent::RouteTable::Change change;

  Kernel() { rules.data_devices = {"va"}; }
  std::string want(const char* prefix, std::uint8_t gateway, const char* device = "va") {
    agent::Route route;
    const auto parsed = *sys::parse_ip_prefix(prefix);
    route.prefix.bytes = parsed.address.bytes;
    route.length = parsed.length;
    route.table = 254;
    route.hops = {{device, agent::RouteAddress{false, {192, 0, 2, gateway}}, 0, false}};
    change.set.push_back(agent::encode(route));
    return change.set.back().key;
  }
  agent::RouteOutcome update() {
    installer.update(*read_names(rules), change);
    change = {};
    return installer.outcome();
  }
  agent::RouteOutcome reconcile() {
    EXPECT_TRUE(installer.reconcile(*read_names(rules), RouteInstaller::Scope::everything));
    return installer.outcome();
  }
};

constexpr const char* kDevice =
    "ip link add name va type veth peer name vz && ip link set vz up && "
    "ip link set va up";
bool there(const std::string& route) {
  return run_command("ip route show | grep -q '^" + route + "'");
}

HOTPAIR_NETWORK_TEST(RouteInstallerTest, follows_the_peer_and_leaves_this_boxs_own_alone) {
  ASSERT_TRUE(run_command(kDevice));
  ASSERT_TRUE(run_command("ip route add 10.9.0.0/16 via 192.0.2.9 dev va onlink proto boot"));
  Kernel kernel;
  kernel.want("10.1.0.0/16", 1);
  const std::string second = kernel.want("10.2.0.0/16", 1);
  kernel.want("10.9.0.0/16", 1);
  kernel.want("10.3.0.0/16", 1, "later");
  auto outcome = kernel.update();
  EXPECT_EQ(outcome.installed, 2u);
  EXPECT_EQ(outcome.own, 1u);
  EXPECT_EQ(outcome.waiting, 1u);
  EXPECT_TRUE(there("10.9.0.0/16 via 192.0.2.9 dev va"));

  kernel.want("10.1.0.0/16", 5);
  kernel.change.removed = {second};
  EXPECT_EQ(kernel.update().installed, 1u);
  EXPECT_TRUE(there("10.1.0.0/16 via 192.0.2.5"));
  EXPECT_FALSE(there("10.2.0.0/16"));

  ASSERT_TRUE(run_command("ip link add name later type veth peer name vy && ip link set later up"));
  ASSERT_TRUE(run_command("ip route flush proto 172 && ip route del 10.9.0.0/16"));
  ASSERT_TRUE(run_command("ip route add 10.66.0.0/16 via 192.0.2.1 dev va onlink proto 172"));
  outcome = kernel.reconcile();
  EXPECT_EQ(outcome.installed, kernel.installer.wanted().size());
  EXPECT_EQ(outcome.own + outcome.waiting + outcome.refused, 0u);
  EXPECT_FALSE(there("10.66.0.0/16")) << "under our number, and nobody wants it";

  EXPECT_TRUE(kernel.installer.remove_all());
  EXPECT_TRUE(run_command("test -z \"$(ip route show proto 172)\""));
}

HOTPAIR_NETWORK_TEST(RouteInstallerTest, a_neighbour_that_the_kernel_confirmed_is_the_kernels) {
  ASSERT_TRUE(run_command(kDevice));
  Kernel kernel;
  const auto entry =
      agent::encode(agent::RouteNeighbour{"va", {false, {192, 0, 2, 7}}, {2, 0, 0, 0, 0, 7}});
  kernel.change.set = {entry};
  EXPECT_EQ(kernel.update().installed, 1u);
  ASSERT_TRUE(
      run_command("ip neigh change 192.0.2.7 lladdr 02:00:00:00:00:99 dev va nud reachable"));
  kernel.change.removed = {entry.key};
  kernel.update();
  EXPECT_TRUE(run_command("ip neigh show 192.0.2.7 dev va | grep -q 02:00:00:00:00:99"));
  EXPECT_TRUE(kernel.installer.remove_all());
  EXPECT_TRUE(run_command("ip neigh show 192.0.2.7 dev va | grep -q 02:00:00:00:00:99"));
}

}  // namespace
}  // namespace hotpair::daemon
