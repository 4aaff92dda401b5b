// Route sync: what travels, how two tables are compared, and when something is done.
#include "agent/core/route_sync.hpp"

#include <gtest/gtest.h>

#include "agent/core/route_wire.hpp"

namespace hotpair::agent {
namespace {

Route route(std::uint8_t net, std::uint8_t gateway = 1) {
  Route r;
  r.prefix.bytes = {10, net};
  r.length = 16;
  r.table = 254;
  r.priority = 20;
  r.hops = {{"wan", RouteAddress{false, {198, 51, 100, gateway}}, 0, false}};
  return r;
}

TEST(RouteEntries, KeepEverythingOfARoute) {
  Route all = route(1);
  all.prefix = {true, {0x20, 0x01, 0x0d, 0xb8, 0x80}};
  all.length = 33;
  all.table = 0;
  all.vrf = "tenant-a";
  all.tos = 16;
  all.hops.push_back({"lan", RouteAddress{true, {0xfe, 0x80}}, 9, true});
  all.hops.push_back({"tunnel", {}, 0, false});
  all.metrics = {{2, 1400}};
  Route dropping = route(2);
  dropping.type = RouteType::blackhole;
  dropping.hops.clear();
  const RouteNeighbour neighbour{"lan", {false, {192, 0, 2, 10}}, {2, 0, 0, 0, 0, 1}};
  for (const RouteItem& item : {RouteItem(all), RouteItem(dropping), RouteItem(neighbour)}) {
    const auto read = decode(encode(item));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, item);
  }
}

TEST(RouteEntries, LookAsWireMdSays) {
  const RouteEntry entry = encode(route(1));
  const std::string key("\x01\x00\x10\x0a\x01\x00\x00\x00\x00\x14\x00\x00\x00\xfe", 14);
  const std::string value("\x01\x00\x01\x01\x00\x03wan\xc6\x33\x64\x01\x00", 14);
  EXPECT_EQ(entry.key, key);
  EXPECT_EQ(entry.value, value);
}

TEST(RouteEntries, HaveOneSpellingAMeaning) {
  const RouteEntry good = encode(route(1));
  ASSERT_TRUE(decode(good));
  for (std::size_t cut = 0; cut < good.key.size(); ++cut)
    EXPECT_FALSE(decode({good.key.substr(0, cut), good.value})) << cut;
  for (std::size_t cut = 0; cut < good.value.size(); ++cut)
    EXPECT_FALSE(decode({good.key, good.value.substr(0, cut)})) << cut;
  EXPECT_FALSE(decode({good.key + "x", good.value})) << "more than there is to say";
  EXPECT_FALSE(decode({good.key, good.value + "x"}));
  RouteEntry host_bits = good;
  host_bits.key[2] = 15;  // 10.1.0.0/15
  EXPECT_FALSE(decode(host_bits));
  RouteEntry long_prefix = good;
  long_prefix.key[2] = 33;
  EXPECT_FALSE(decode(long_prefix));
  Route nowhere = route(1);
  nowhere.hops.clear();
  EXPECT_FALSE(decode(encode(nowhere))) << "a unicast route leads somewhere";
}

RouteTable table_of(const std::vector<Route>& routes) {
  RouteTable table;
  for (const Route& each : routes) table.add(encode(each));
  return table;
}

// A round without a network between.
std::size_t synchronise(const RouteTable& sender, RouteTable& keeper) {
  const std::uint32_t buckets = route_buckets_for(sender.size());
  const auto offer = decode_offer(
      encode(RouteOffer{static_cast<std::uint32_t>(sender.size()), sender.digests(buckets)}));
  const auto wanted =
      decode_want(encode_want(differing(offer->digests, keeper.digests(buckets))), buckets);
  RouteEntryWriter writer;
  std::size_t sent = 0;
  for (const auto& [key, value] : sender.entries()) {
    if (!(*wanted)[route_bucket_of(key, buckets)]) continue;
    ++sent;
    writer.add(key, value);
  }
  RouteTable arrived;
  EXPECT_TRUE(decode_entries(writer.bytes(), *wanted, arrived));
  keeper.apply(keeper.difference(arrived, *wanted));
  EXPECT_EQ(keeper.digests(buckets), offer->digests);
  return sent;
}

TEST(RouteTables, BecomeEqualAndOnlyWhatDiffersTravels) {
  std::vector<Route> routes;
  for (int i = 0; i < 5000; ++i) {
    routes.push_back(route(static_cast<std::uint8_t>(i)));
    routes.back().table = static_cast<std::uint32_t>(1000 + i / 256);
  }
  RouteTable sender = table_of(routes), keeper;
  EXPECT_EQ(synchronise(sender, keeper), 5000u);
  EXPECT_EQ(keeper, sender);
  EXPECT_EQ(synchronise(sender, keeper), 0u) << "a comparison, not a copy";

  const RouteEntry changed = encode([&] {
    Route other = routes[7];
    other.hops[0].gateway->bytes[3] = 2;
    return other;
  }());
  sender.set(changed.key, changed.value);
  RouteTable fewer = sender;
  fewer.apply({{}, {encode(routes[9]).key}});
  const std::size_t sent = synchronise(fewer, keeper);
  EXPECT_EQ(keeper, fewer);
  EXPECT_LT(sent, 100u) << "those that share a bucket go along";

  RouteTable empty;
  EXPECT_EQ(synchronise(empty, keeper), 0u);
  EXPECT_EQ(keeper.size(), 0u);
}

TEST(RouteTables, OfTwoRoutesOfOneKeyTheFirstCounts) {
  const RouteTable table = table_of({route(1, 1), route(1, 2)});
  EXPECT_EQ(table.entries().begin()->second, encode(route(1, 1)).value);
}

TEST(RouteWire, RefusesWhatIsMalformedOrWasNotAskedFor) {
  const auto offer = encode(RouteOffer{1, RouteDigests(kMinRouteBuckets)});
  EXPECT_TRUE(decode_offer(offer));
  EXPECT_FALSE(decode_offer(Bytes(offer).first(offer.size() - 1)));
  EXPECT_FALSE(decode_offer(encode(RouteOffer{1, RouteDigests(kMinRouteBuckets / 2)})));
  EXPECT_FALSE(decode_offer(encode(RouteOffer{1, RouteDigests(kMinRouteBuckets + 1)})));
  EXPECT_FALSE(decode_offer(encode(RouteOffer{kMaxRouteEntries + 1, RouteDigests(64)})));
  EXPECT_FALSE(decode_want(encode_want(std::vector<bool>(64)), 128));

  const RouteEntry entry = encode(route(1));
  RouteEntryWriter writer;
  writer.add(entry.key, entry.value);
  std::vector<bool> wanted(kMinRouteBuckets, true);
  RouteTable out;
  EXPECT_TRUE(decode_entries(writer.bytes(), wanted, out));
  EXPECT_FALSE(decode_entries(Bytes(writer.bytes()).first(writer.bytes().size() - 1), wanted, out));
  wanted[route_bucket_of(entry.key, kMinRouteBuckets)] = false;
  EXPECT_FALSE(decode_entries(writer.bytes(), wanted, out));
  writer.add("nonsense", "");
  EXPECT_FALSE(decode_entries(writer.bytes(), std::vector<bool>(kMinRouteBuckets, true), out));

  const RouteOutcome outcome{true, 1, 2, 3, 4, "Network is down"};
  EXPECT_EQ(decode_outcome(encode(outcome)), outcome);
  EXPECT_FALSE(decode_outcome(Bytes(encode(outcome)).first(16)));
}

// A node's life on a clock of its own.
struct Story : testing::Test {
  RouteActions at(Duration when, const RouteEvent& event = RouteTick{}) {
    return node.step(Instant(when), event);
  }
  // Steps at each deadline up to `until`; when the rounds began.
  std::vector<Duration> rounds(Duration until) {
    std::vector<Duration> began;
    while (node.next_deadline() && *node.next_deadline() <= Instant(until)) {
      const Instant due = *node.next_deadline();
      if (!node.step(due, RouteTick{}).round) break;
      began.push_back(due - Instant{});
      (void)node.step(due, RouteRoundEnded{true});
    }
    return began;
  }
  void be_primary(Duration when) {
    (void)at(when, RouteTimes{true, 10s, 0s, 10s});
    EXPECT_TRUE(at(when, RoutePair{true, true}).round) << "a peer that comes is compared at once";
    (void)at(when, RouteRoundEnded{true});
  }
  RouteSync node;
};
using RouteSending = Story;
using RouteKeeping = Story;

TEST_F(RouteSending, AStormIsOneUpdateAndTheNextComesAfterHold) {
  be_primary(0s);
  for (int i = 0; i < 100'000; ++i) EXPECT_FALSE(at(20s + i * 1us, RoutesChanged{}).round);
  EXPECT_EQ(rounds(60s), std::vector<Duration>{20s + 100ms});
  (void)at(21s, RoutesChanged{});
  EXPECT_EQ(node.unsent_since(), Instant(21s));
  EXPECT_EQ(rounds(60s), std::vector<Duration>{20s + 100ms + 10s});
  EXPECT_EQ(node.unsent_since(), std::nullopt);
}

TEST_F(RouteSending, AChangeRestsForWait) {
  be_primary(0s);
  (void)at(30s, RouteTimes{true, 0s, 3s, 10s});
  EXPECT_EQ(rounds(39s), std::vector<Duration>{33s}) << "another configuration is a change too";
  (void)at(40s, RoutesChanged{});
  EXPECT_EQ(rounds(60s), std::vector<Duration>{43s});
}

TEST_F(RouteSending, WhatChangesDuringARoundGoesWithTheNext) {
  be_primary(0s);
  (void)at(20s, RoutesChanged{});
  EXPECT_TRUE(at(20s + 100ms).round);
  EXPECT_FALSE(at(20s + 150ms, RoutesChanged{}).round);
  EXPECT_FALSE(at(29s).round) << "one at a time";
  (void)at(29s, RouteRoundEnded{true});
  EXPECT_EQ(node.unsent_since(), Instant(20s + 150ms));
  EXPECT_EQ(rounds(60s), std::vector<Duration>{30s + 100ms});
}

TEST_F(RouteSending, AFailedRoundIsRepeatedAndNothingIsSentToNobody) {
  be_primary(0s);
  (void)at(20s, RoutesChanged{});
  EXPECT_TRUE(at(21s).round);
  (void)at(22s, RouteRoundEnded{false});
  EXPECT_EQ(node.unsent_since(), Instant(20s)) << "it is as old as it was";
  EXPECT_TRUE(at(31s).round);
  (void)at(31s, RouteRoundEnded{false});
  (void)at(31s, RoutePair{true, false});
  EXPECT_FALSE(at(50s).round);
  EXPECT_TRUE(at(51s, RoutePair{true, true}).round) << "back again, compared at once";
}

TEST_F(RouteKeeping, RoutesOutliveTheTakeoverByTtlAndGo) {
  (void)at(0s, RouteTimes{true, 10s, 0s, 10s});
  (void)at(0s, RoutePair{false, true});
  (void)at(1s, RoutesTaken{true});
  EXPECT_FALSE(at(1000s).give_up) << "as long as it stands by";
  (void)at(2000s, RoutePair{false, false});
  EXPECT_FALSE(at(3000s).give_up) << "nor when the peer is silent";
  const RouteActions became = at(4000s, RoutePair{true, false});
  EXPECT_TRUE(became.reconcile) << "what waited for a device may find it now";
  EXPECT_FALSE(became.give_up);
  EXPECT_EQ(node.ends_at(), Instant(4010s));
  EXPECT_FALSE(at(4009s).give_up);
  EXPECT_TRUE(at(4010s).give_up);
  EXPECT_EQ(node.ends_at(), std::nullopt);
  EXPECT_FALSE(at(5000s).give_up) << "once";
}

TEST_F(RouteKeeping, ARoleThatComesBackStopsTheClock) {
  (void)at(0s, RouteTimes{true, 10s, 0s, 10s});
  (void)at(0s, RoutePair{false, true});
  (void)at(1s, RoutesTaken{true});
  (void)at(10s, RoutePair{true, true});
  (void)at(15s, RoutePair{false, true});
  EXPECT_FALSE(at(100s).give_up);
}

TEST_F(RouteKeeping, SwitchedOffTheyGoAtOnce) {
  (void)at(0s, RouteTimes{true, 10s, 0s, 10s});
  (void)at(0s, RoutePair{false, true});
  (void)at(1s, RoutesTaken{true});
  EXPECT_TRUE(at(2s, RouteTimes{false, 10s, 0s, 10s}).give_up);
}

TEST_F(RouteKeeping, ADisturbedKernelIsMendedAndNotTooOften) {
  (void)at(0s, RouteTimes{true, 10s, 0s, 10s});
  (void)at(0s, RoutePair{false, true});
  EXPECT_FALSE(at(1s, RoutesChanged{}).reconcile) << "there is nothing to mend";
  (void)at(2s, RoutesTaken{true});
  EXPECT_TRUE(at(3s, RoutesChanged{}).reconcile);
  EXPECT_FALSE(at(3s, RoutesChanged{}).reconcile) << "one at a time";
  (void)at(4s, RoutesReconciled{500ms});
  EXPECT_EQ(node.next_deadline(), Instant(9s)) << "ten times as long as it took";
  EXPECT_TRUE(at(9s).reconcile);
  (void)at(9s, RoutesReconciled{1ms});
  EXPECT_FALSE(at(20s, RoutesTaken{true}).reconcile);
  EXPECT_TRUE(at(30s, RoutesTaken{false}).reconcile) << "something waits for its device";
}

}  // namespace
}  // namespace hotpair::agent
