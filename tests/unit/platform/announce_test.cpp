#include "platform/linux/announce.hpp"

#include <gtest/gtest.h>
#include <net/if.h>

#include "tests/unit/platform/hex.hpp"
#include "tests/unit/platform/network_namespace.hpp"

namespace hotpair::sys {
namespace {

constexpr MacAddress kMac = {0x02, 0x00, 0x00, 0x00, 0x00, 0x0a};

TEST(AnnounceTest, a_gratuitous_ARP_byte_for_byte) {
  EXPECT_EQ(test::to_hex(gratuitous_arp(kMac, *parse_ip("192.0.2.1"))),
            "ffffffffffff"  // to all
            "02000000000a"
            "0806"
            "0001080006040001"  // Ethernet, IPv4, request
            "02000000000ac0000201"
            "000000000000c0000201");  // asks for the sender's own address
}

TEST(AnnounceTest, an_unsolicited_neighbour_advertisement_byte_for_byte) {
  EXPECT_EQ(test::to_hex(unsolicited_advertisement(kMac, *parse_ip("2001:db8:1::1"), true)),
            "333300000001"  // all nodes
            "02000000000a"
            "86dd"
            "6000000000203aff"  // 32 bytes of ICMPv6, hop limit 255
            "20010db8000100000000000000000001"
            "ff020000000000000000000000000001"
            "8800791fa0000000"  // advertisement, checksum, router and override
            "20010db8000100000000000000000001"
            "020102000000000a");  // target link-layer address
}

TEST(AnnounceTest, a_host_that_does_not_forward_says_so) {
  const auto frame = unsolicited_advertisement(kMac, *parse_ip("fe80::1"), false);
  EXPECT_EQ(frame[14 + 40 + 4], 0x20);
}

// RFC 1071: summed with its checksum, pseudo header included, a right message gives all ones.
TEST(AnnounceTest, the_checksum_verifies_for_any_address) {
  for (const char* address : {"::ffff", "fe80::1", "2001:db8::ffff:ffff", "ff00::"}) {
    const auto frame = unsolicited_advertisement(kMac, *parse_ip(address), true);
    std::uint32_t sum = 32 + 58;
    for (std::size_t i = 14 + 8; i < frame.size(); i += 2)
      sum += load_be<std::uint16_t>(frame.data() + i);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    EXPECT_EQ(sum, 0xffffu) << address;
  }
}

HOTPAIR_NETWORK_TEST(AnnouncerTest, neighbours_learn_the_new_address_from_it) {
  ASSERT_TRUE(
      test::run_command("ip link add name va type veth peer name vb && ip link set va up && "
                        "ip link set vb up && ip addr add 192.0.2.9/24 dev vb && "
                        "ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:ff nud stale dev vb"));
  auto announcer = Announcer::open();
  ASSERT_TRUE(announcer.ok());
  const int a = static_cast<int>(if_nametoindex("va"));
  const Announcement what{a, kMac, *parse_ip("192.0.2.1"), true};
  EXPECT_EQ(announcer->send(std::vector{what}), 1u);
  EXPECT_TRUE(test::run_command("ip neigh show dev vb 192.0.2.1 | grep -q 02:00:00:00:00:0a"));
}

HOTPAIR_NETWORK_TEST(AnnouncerTest, a_device_that_is_gone_is_named_and_does_not_stop_the_others) {
  ASSERT_TRUE(
      test::run_command("ip link add name va type veth peer name vb && ip link set va up && "
                        "ip link set vb up"));
  auto announcer = Announcer::open();
  ASSERT_TRUE(announcer.ok());
  const std::vector<Announcement> both = {
      {9999, kMac, *parse_ip("192.0.2.1"), true},
      {static_cast<int>(if_nametoindex("va")), kMac, *parse_ip("2001:db8::1"), true}};
  EXPECT_EQ(announcer->send(both), 1u);
  EXPECT_NE(announcer->last_error().find("cannot announce 192.0.2.1"), std::string::npos);
}

}  // namespace
}  // namespace hotpair::sys
