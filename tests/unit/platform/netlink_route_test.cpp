// The kernel's routes and neighbours: what is written is read again, and nobody else's is touched.
#include "platform/linux/netlink_route.hpp"

#include <cerrno>

#include <gtest/gtest.h>
#include <linux/neighbour.h>
#include <net/if.h>

#include "tests/unit/platform/network_namespace.hpp"

namespace hotpair::sys {
namespace {

using test::run_command;
using What = RouteChange::What;

constexpr std::uint8_t kOwn = 172, kBgp = 186;
constexpr const char* kDevice =
    "ip link add name va type veth peer name vz && ip link set vz up && "
    "ip link set va up";

KernelRoute route(const char* prefix, const char* gateway, std::uint8_t protocol = kOwn) {
  KernelRoute r;
  r.prefix = *parse_ip_prefix(prefix);
  r.priority = 20;
  r.protocol = protocol;
  r.hops = {{static_cast<int>(if_nametoindex("va")), parse_ip(gateway), 0, true}};
  return r;
}

std::vector<KernelRoute> read(RouteTables& tables, std::uint8_t protocol) {
  std::vector<KernelRoute> routes;
  RoutesLeftOut left_out;
  const auto wanted = [&](std::uint8_t p, std::uint32_t) { return p == protocol; };
  EXPECT_TRUE(tables.read_routes(
      wanted, [&](KernelRoute&& route) { routes.push_back(std::move(route)); }, left_out));
  return routes;
}

HOTPAIR_NETWORK_TEST(RouteTablesTest,
                     what_is_added_is_read_again_without_an_address_on_the_device) {
  ASSERT_TRUE(run_command(kDevice));
  auto tables = std::move(*RouteTables::open());
  KernelRoute several = route("10.2.0.0/16", "192.0.2.1");
  several.hops.push_back({several.hops[0].ifindex, parse_ip("192.0.2.2"), 4, true});
  several.metrics = {{2, 1400}};
  several.table = 1000;
  KernelRoute dropping = route("10.3.0.0/16", "192.0.2.1");
  dropping.type = 6;
  dropping.hops.clear();
  const std::vector<KernelRoute> routes = {route("10.1.0.0/16", "192.0.2.1"),
                                           several,
                                           dropping,
                                           route("2001:db8:1::/48", "fe80::1"),
                                           route("0.0.0.0/0", "192.0.2.1"),
                                           route("10.4.0.0/16", "fe80::2")};
  std::vector<RouteChange> changes;
  for (const auto& each : routes) changes.push_back({What::add, each});
  EXPECT_EQ(tables.apply(changes), std::vector<int>(routes.size(), 0));
  const auto found = read(tables, kOwn);
  ASSERT_EQ(found.size(), routes.size());
  for (const auto& wanted : routes) {
    const auto same = std::find_if(found.begin(), found.end(),
                                   [&](const auto& f) { return f.prefix == wanted.prefix; });
    ASSERT_NE(same, found.end()) << to_text(wanted.prefix);
    EXPECT_EQ(same->table, wanted.table);
    EXPECT_EQ(same->priority, wanted.priority);
    EXPECT_EQ(same->type, wanted.type);
    ASSERT_EQ(same->hops.size(), wanted.hops.size()) << to_text(wanted.prefix);
    for (std::size_t i = 0; i < wanted.hops.size(); ++i) {
      EXPECT_EQ(same->hops[i].gateway, wanted.hops[i].gateway);
      EXPECT_EQ(same->hops[i].weight, wanted.hops[i].weight);
    }
    ASSERT_EQ(same->metrics.size(), wanted.metrics.size());
    if (!wanted.metrics.empty()) {
      EXPECT_EQ(same->metrics[0].value, 1400u);
    }
  }
  for (auto& change : changes) change.what = What::remove;
  EXPECT_EQ(tables.apply(changes), std::vector<int>(routes.size(), 0));
  EXPECT_TRUE(read(tables, kOwn).empty());
}

HOTPAIR_NETWORK_TEST(RouteTablesTest, each_of_a_batch_has_its_own_outcome_and_others_stay) {
  ASSERT_TRUE(run_command(kDevice));
  auto tables = std::move(*RouteTables::open());
  const auto bgp = route("10.7.0.0/16", "192.0.2.9", kBgp);
  EXPECT_EQ(tables.apply(std::vector<RouteChange>{{What::add, bgp}}), std::vector<int>{0});
  std::vector<RouteChange> changes;
  for (int i = 0; i < 1000; ++i) {
    const std::string net = "10." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    changes.push_back({What::add, route((net + ".0/24").c_str(), "192.0.2.1")});
  }
  changes[500].item = route("10.7.0.0/16", "192.0.2.1");  // somebody's already
  KernelRoute lost = route("10.8.0.0/16", "192.0.2.1");
  lost.hops[0].ifindex = 9999;
  changes[999].item = lost;
  const auto results = tables.apply(changes);
  EXPECT_EQ(results[500], EEXIST);
  EXPECT_EQ(results[999], ENODEV);
  EXPECT_EQ(std::count(results.begin(), results.end(), 0), 998);
  EXPECT_EQ(
      tables.apply(std::vector<RouteChange>{{What::remove, route("10.7.0.0/16", "192.0.2.1")}}),
      std::vector<int>{ESRCH})
      << "only one of our own protocol";
  EXPECT_EQ(read(tables, kBgp).size(), 1u);
}

HOTPAIR_NETWORK_TEST(RouteTablesTest, counts_what_it_cannot_carry) {
  ASSERT_TRUE(run_command(kDevice));
  auto tables = std::move(*RouteTables::open());
  if (!run_command("ip -6 route add 2001:db8:5::/48 from 2001:db8::/32 dev va proto bgp"))
    GTEST_SKIP() << "this kernel has no source-specific routes";
  RoutesLeftOut left_out;
  const auto none = [](KernelRoute&&) { FAIL(); };
  EXPECT_TRUE(tables.read_routes([](auto p, auto) { return p == kBgp; }, none, left_out));
  EXPECT_EQ(left_out.by_source, 1u);
}

HOTPAIR_NETWORK_TEST(RouteTablesTest, neighbours_are_added_stale_and_only_where_none_is) {
  ASSERT_TRUE(run_command(kDevice));
  ASSERT_TRUE(run_command("ip neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev va nud reachable"));
  auto tables = std::move(*RouteTables::open());
  KernelNeighbour one{static_cast<int>(if_nametoindex("va")),
                      *parse_ip("192.0.2.7"),
                      {2, 0, 0, 0, 0, 7},
                      kOwn,
                      NUD_STALE};
  KernelNeighbour theirs = one;
  theirs.address = *parse_ip("192.0.2.8");
  EXPECT_EQ(tables.apply(std::vector<RouteChange>{{What::add, one}, {What::add, theirs}}),
            (std::vector<int>{0, EEXIST}));
  std::vector<KernelNeighbour> found;
  ASSERT_TRUE(tables.read_neighbours(found));
  const auto ours =
      std::find_if(found.begin(), found.end(), [](const auto& n) { return n.protocol == kOwn; });
  ASSERT_NE(ours, found.end());
  EXPECT_EQ(ours->mac, one.mac);
  EXPECT_TRUE(ours->usable());
  EXPECT_FALSE(ours->confirmed());
  EXPECT_EQ(tables.apply(std::vector<RouteChange>{{What::remove, *ours}}), std::vector<int>{0});
}

}  // namespace
}  // namespace hotpair::sys
