#include <array>
#include <cstring>

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>

#include "platform/base/rng.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/netlink_addr.hpp"
#include "platform/linux/netlink_link.hpp"
#include "platform/linux/netlink_link_parse.hpp"
#include "platform/linux/netlink_link_reader.hpp"
#include "tests/unit/platform/network_namespace.hpp"

namespace hotpair::sys {
namespace {

using test::run_command;
using Operation = AddressOperation;

int index_of(const char* name) {
  return static_cast<int>(if_nametoindex(name));
}

Operation operation(Operation::What what, const char* device, const char* prefix,
                    std::uint32_t metric = 0) {
  return {what, {index_of(device), *parse_ip_prefix(prefix), {}}, metric, 254};
}

bool wait_readable(int fd) {
  pollfd watched{fd, POLLIN, 0};
  return poll(&watched, 1, 5000) > 0;
}

// Handles events until `done` or for five seconds.
template <typename Source>
bool until(Source& source, const std::function<bool()>& done) {
  const Instant patience = now() + 5s;
  while (!done() && now() < patience)
    if (wait_readable(source.fd())) (void)source.handle_readable();
  return done();
}

HOTPAIR_NETWORK_TEST(AddressTableTest, adds_and_deletes_both_families_in_one_go) {
  ASSERT_TRUE(run_command(
      "ip link add name va type veth peer name vz && ip link set vz up && ip link set va up"));
  auto table = std::move(*AddressTable::open());
  const auto added = table.apply(std::vector{
      operation(Operation::What::add_address, "va", "192.0.2.1/24"),
      operation(Operation::What::add_address, "va", "2001:db8::1/64"),
  });
  EXPECT_TRUE(added[0].ok && added[0].changed) << added[0].text;
  EXPECT_TRUE(added[1].ok && added[1].changed) << added[1].text;
  // Without duplicate address detection the address is of use at once.
  EXPECT_FALSE(run_command("ip -6 addr show dev va | grep -q tentative.*2001"));
  EXPECT_TRUE(run_command("ip -6 addr show dev va | grep 2001:db8::1/64 | grep -qv tentative"));
  const auto deleted = table.apply(std::vector{
      operation(Operation::What::delete_address, "va", "192.0.2.1/24"),
      operation(Operation::What::delete_address, "va", "2001:db8::1/64"),
  });
  EXPECT_TRUE(deleted[0].changed && deleted[1].changed);
  EXPECT_TRUE(table.list(index_of("va"))->size() <= 1u);  // its own link-local one is left
}

HOTPAIR_NETWORK_TEST(AddressTableTest, a_wish_that_is_fulfilled_already_is_fine) {
  ASSERT_TRUE(
      run_command("ip link add name va type veth peer name vz && ip link set vz up && ip addr add "
                  "192.0.2.1/24 dev va"));
  auto table = std::move(*AddressTable::open());
  const auto results = table.apply(std::vector{
      operation(Operation::What::add_address, "va", "192.0.2.1/24"),
      operation(Operation::What::delete_address, "va", "192.0.2.99/24"),
      operation(Operation::What::delete_route, "va", "198.51.100.0/24", 7),
  });
  for (const auto& result : results) {
    EXPECT_TRUE(result.ok) << result.text;
    EXPECT_FALSE(result.changed);
  }
}

HOTPAIR_NETWORK_TEST(AddressTableTest, one_that_fails_is_named_and_stops_no_other) {
  ASSERT_TRUE(run_command("ip link add name va type veth peer name vz && ip link set vz up"));
  auto table = std::move(*AddressTable::open());
  std::vector<Operation> operations = {
      operation(Operation::What::add_address, "va", "192.0.2.1/24"),
      operation(Operation::What::add_address, "va", "192.0.2.2/24"),
      operation(Operation::What::add_address, "va", "192.0.2.3/24"),
  };
  operations[1].address.ifindex = 9999;
  const auto results = table.apply(operations);
  EXPECT_TRUE(results[0].ok);
  EXPECT_FALSE(results[1].ok);
  EXPECT_EQ(results[1].error, ENODEV);
  EXPECT_EQ(results[1].text.find("cannot add address 192.0.2.2/24 on device 9999: "), 0u)
      << results[1].text;
  EXPECT_TRUE(results[2].ok);
}

HOTPAIR_NETWORK_TEST(AddressTableTest, an_address_of_a_device_that_is_gone_is_given_back_already) {
  auto table = std::move(*AddressTable::open());
  Operation gone = operation(Operation::What::delete_address, "lo", "192.0.2.1/24");
  gone.address.ifindex = 9999;
  EXPECT_TRUE(table.apply(std::vector{gone})[0].ok);
}

HOTPAIR_NETWORK_TEST(AddressTableTest, linger_routes_carry_our_protocol_and_metric) {
  ASSERT_TRUE(run_command(
      "ip link add name va type veth peer name vz && ip link set vz up && ip link set va up"));
  auto table = std::move(*AddressTable::open());
  const auto results = table.apply(std::vector{
      operation(Operation::What::add_route, "va", "192.0.2.1/24", 4096),
      operation(Operation::What::add_route, "va", "2001:db8::1/64", 4096),
  });
  EXPECT_TRUE(results[0].changed) << results[0].text;
  EXPECT_TRUE(results[1].changed) << results[1].text;
  EXPECT_TRUE(run_command(
      "ip route show proto 114 | grep -q '^192.0.2.0/24 dev va scope link metric 4096'"));
  EXPECT_TRUE(
      run_command("ip -6 route show proto 114 | grep -q '^2001:db8::/64 dev va metric 4096'"));
  const auto removed = table.apply(std::vector{
      operation(Operation::What::delete_route, "va", "192.0.2.0/24", 4096),
      operation(Operation::What::delete_route, "va", "2001:db8::/64", 4096),
  });
  EXPECT_TRUE(removed[0].changed && removed[1].changed);
}

HOTPAIR_NETWORK_TEST(AddressTableTest, hundreds_of_addresses_take_milliseconds) {
  ASSERT_TRUE(run_command(
      "ip link add name va type veth peer name vz && ip link set vz up && ip link set va up"));
  auto table = std::move(*AddressTable::open());
  std::vector<Operation> operations;
  for (int i = 0; i < 600; ++i) {
    const std::string text =
        "10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1/32";
    operations.push_back(operation(Operation::What::add_address, "va", text.c_str()));
  }
  const auto results = table.apply(operations, 5s);
  for (const auto& result : results) ASSERT_TRUE(result.changed) << result.text;
  const auto listed = table.list(index_of("va"));
  ASSERT_TRUE(listed.ok());
  EXPECT_GE(listed->size(), 600u);
}

HOTPAIR_NETWORK_TEST(AddressTableTest, one_address_takes_well_below_a_millisecond) {
  ASSERT_TRUE(run_command(
      "ip link add name va type veth peer name vz && ip link set vz up && ip link set va up"));
  auto table = std::move(*AddressTable::open());
  const std::vector add = {operation(Operation::What::add_address, "va", "192.0.2.1/24")};
  const std::vector del = {operation(Operation::What::delete_address, "va", "192.0.2.1/24")};
  Duration best = 1h;
  for (int i = 0; i < 20; ++i) {
    const Instant start = now();
    ASSERT_TRUE(table.apply(add)[0].changed);
    best = std::min(best, now() - start);
    ASSERT_TRUE(table.apply(del)[0].changed);
  }
  testing::Test::RecordProperty("best_us", static_cast<int>(to_us(best)));
  EXPECT_LT(best, 5ms);
}

HOTPAIR_NETWORK_TEST(AddressWatchTest, somebody_who_takes_an_address_away_is_noticed) {
  ASSERT_TRUE(
      run_command("ip link add name va type veth peer name vz && ip link set vz up && ip addr add "
                  "192.0.2.1/24 dev va"));
  auto watch = std::move(*AddressWatch::open());
  std::vector<AddressChange> changes;
  watch->on_change([&](const AddressChange& c) { changes.push_back(c); });
  ASSERT_TRUE(run_command("ip addr del 192.0.2.1/24 dev va"));
  ASSERT_TRUE(until(*watch, [&] { return !changes.empty(); }));
  EXPECT_FALSE(changes[0].added);
  EXPECT_EQ(to_text(changes[0].address.prefix), "192.0.2.1/24");
  EXPECT_EQ(changes[0].address.ifindex, index_of("va"));
}

HOTPAIR_NETWORK_TEST(LinkMonitorTest, tells_of_carrier_rename_and_removal) {
  ASSERT_TRUE(
      run_command("ip link add name va type veth peer name vb && ip link set va up && "
                  "ip link set vb up"));
  auto monitor = std::move(*LinkMonitor::open());
  std::vector<LinkChange> changes;
  monitor->on_change([&](const LinkChange& c) { changes.push_back(c); });
  ASSERT_TRUE(until(*monitor, [&] { return monitor->find("va")->carrier; }));
  ASSERT_NE(monitor->find("va"), nullptr);
  EXPECT_EQ(monitor->find("va")->kind, "veth");
  EXPECT_TRUE(monitor->find("va")->carrier);
  EXPECT_EQ(monitor->find("va")->speed_mbps, 10'000u);  // what veth claims

  changes.clear();
  ASSERT_TRUE(run_command("ip link set vb down"));
  ASSERT_TRUE(until(
      *monitor, [&] { return !monitor->find("va")->carrier && !monitor->find("vb")->admin_up; }));
  EXPECT_TRUE(monitor->find("va")->admin_up);
  EXPECT_EQ(monitor->find("va")->speed_mbps, std::nullopt);

  changes.clear();
  ASSERT_TRUE(run_command("ip link set vb name vc"));
  ASSERT_TRUE(until(*monitor, [&] { return monitor->find("vc") != nullptr; }));
  EXPECT_EQ(changes.back().what, LinkChange::What::renamed);
  EXPECT_EQ(changes.back().old_name, "vb");

  changes.clear();
  ASSERT_TRUE(run_command("ip link del vc"));
  ASSERT_TRUE(until(
      *monitor, [&] { return monitor->find("vc") == nullptr && monitor->find("va") == nullptr; }));
  EXPECT_EQ(changes.back().what, LinkChange::What::removed);

  ASSERT_TRUE(run_command("ip link add name vd type veth peer name ve"));
  ASSERT_TRUE(until(*monitor, [&] { return monitor->find("vd") != nullptr; }));
  EXPECT_EQ(changes.back().what, LinkChange::What::appeared);
}

HOTPAIR_NETWORK_TEST(LinkMonitorTest, learns_what_a_reader_was_told_unless_an_event_is_newer) {
  ASSERT_TRUE(run_command("ip link add name va type veth peer name vz && ip link set va up"));
  auto monitor = std::move(*LinkMonitor::open());
  auto reader = std::move(*LinkReader::open());
  const int ifindex = monitor->find("va")->ifindex;
  EXPECT_FALSE(monitor->find("va")->carrier);
  const auto before = monitor->events_of(ifindex);
  ASSERT_TRUE(run_command("ip link set vz up"));
  const std::array<int, 2> asked = {ifindex, 4711};
  // The kernel may hold the event back; who asks is told.
  const Instant patience = now() + 5s;
  auto told = reader.read(asked);
  while (!told.at(0).carrier && now() < patience) told = reader.read(asked);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].name, "va");
  EXPECT_TRUE(monitor->learn(told[0], before));
  EXPECT_TRUE(monitor->find("va")->carrier);
  EXPECT_FALSE(monitor->learn(told[0], before)) << "nothing new";
  auto stale = told[0];
  stale.carrier = false;
  ASSERT_TRUE(until(*monitor, [&] { return monitor->events_of(ifindex) > before; }));
  EXPECT_FALSE(monitor->learn(stale, before)) << "an event came after the question";
  EXPECT_TRUE(monitor->find("va")->carrier);
}

HOTPAIR_NETWORK_TEST(LinkMonitorTest, knows_bonds_and_their_members_one_by_one) {
  if (!run_command("ip link add bond0 type bond mode active-backup miimon 50"))
    GTEST_SKIP() << "the kernel has no bonding driver";
  ASSERT_TRUE(
      run_command("ip link add name va type veth peer name vb && ip link set va master bond0 && "
                  "ip link set vb up && ip link set bond0 up"));
  auto monitor = std::move(*LinkMonitor::open());
  ASSERT_TRUE(until(*monitor, [&] {
    const LinkInfo* a = monitor->find("va");
    return a->bond_member && a->bond_member->mii_up && monitor->find("bond0")->carrier;
  }));
  EXPECT_EQ(monitor->find("bond0")->kind, "bond");
  EXPECT_EQ(monitor->find("bond0")->bond_mode, 1);
  ASSERT_EQ(monitor->members_of(monitor->find("bond0")->ifindex).size(), 1u);
  ASSERT_TRUE(run_command("ip link set vb down"));
  EXPECT_TRUE(until(*monitor, [&] { return !monitor->find("bond0")->carrier; }));
  EXPECT_FALSE(monitor->find("va")->bond_member->mii_up);
}

HOTPAIR_NETWORK_TEST(LinkMonitorTest, knows_the_table_of_a_VRF) {
  if (!run_command("ip link add vrf-a type vrf table 1010"))
    GTEST_SKIP() << "the kernel has no VRF driver";
  auto monitor = std::move(*LinkMonitor::open());
  EXPECT_EQ(monitor->find("vrf-a")->vrf_table, 1010u);
}

HOTPAIR_NETWORK_TEST(LinkMonitorTest, knows_a_vlan_and_what_it_stands_on) {
  ASSERT_TRUE(run_command("ip link add name va type veth peer name vb"));
  if (!run_command("ip link add link va name va.5 type vlan id 5"))
    GTEST_SKIP() << "the kernel has no VLAN driver";
  auto monitor = std::move(*LinkMonitor::open());
  EXPECT_EQ(monitor->find("va.5")->kind, "vlan");
  EXPECT_EQ(monitor->find("va.5")->parent, monitor->find("va")->ifindex);
}

// The kernel is trusted to be the kernel, not to be free of surprises: no bytes may crash the
// parser.
TEST(LinkParserTest, arbitrary_attributes_never_read_beyond_the_message) {
  Rng rng(11);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::uint8_t> bytes(NLMSG_HDRLEN + rng.below(200));
    for (auto& b : bytes)
      b = static_cast<std::uint8_t>(rng.chance(1, 2) ? rng.below(40) : rng.next());
    auto* header = reinterpret_cast<nlmsghdr*>(bytes.data());
    header->nlmsg_len = static_cast<std::uint32_t>(bytes.size());
    header->nlmsg_type = RTM_NEWLINK;
    if (bytes.size() > NLMSG_HDRLEN) bytes[NLMSG_HDRLEN] = 0;
    (void)parse_link(*header);
  }
}

TEST(IpAddressTest, texts_round_trip_in_their_canonical_form) {
  EXPECT_EQ(to_text(*parse_ip("2001:DB8:0::1")), "2001:db8::1");
  EXPECT_EQ(to_text(*parse_ip_prefix("192.0.2.1/24")), "192.0.2.1/24");
  EXPECT_EQ(to_text(subnet_of(*parse_ip_prefix("192.0.2.129/25"))), "192.0.2.128/25");
  EXPECT_EQ(to_text(subnet_of(*parse_ip_prefix("2001:db8:1::1/33"))), "2001:db8::/33");
  EXPECT_EQ(to_text(*parse_mac("02:00:5e:00:0A:ff")), "02:00:5e:00:0a:ff");
  for (const char* text : {"", "192.0.2", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/-1", "1/1/1",
                           "192.0.2.1/024", "::/129", "192.0.2.1/24 "})
    EXPECT_FALSE(parse_ip_prefix(text).has_value()) << text;
  for (const char* text :
       {"", "02:00:00:00:00", "02:00:00:00:00:0", "02-00-00-00-00-01", "0g:00:00:00:00:00"})
    EXPECT_FALSE(parse_mac(text).has_value()) << text;
}

}  // namespace
}  // namespace hotpair::sys
