// The bytes of probes against the RFCs' layouts, and answers that lie.
#include "platform/linux/probe_packets.hpp"

#include <gtest/gtest.h>

#include "platform/base/rng.hpp"

namespace hotpair::sys {
namespace {

constexpr MacAddress kOurs = {0x02, 0, 0, 0, 0, 0x01};
const IpAddress kTarget4 = *parse_ip("198.51.100.254");
const IpAddress kTarget6 = *parse_ip("2001:db8:2::fe:1234");

// RFC 826: the answer to an ARP probe as another host sends it.
std::array<std::uint8_t, 28> arp_reply() {
  return {0,   1,  8,   0,   6, 4, 0, 2, 2, 0, 0, 0, 0, 9,
          198, 51, 100, 254, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0};
}

TEST(ArpProbeTest, ItsSenderAddressIsZeroSoThatNoNeighbourLearnsAnything) {
  const std::array<std::uint8_t, 28> expected = {0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0,   0,  0,   1,
                                                 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 198, 51, 100, 254};
  EXPECT_EQ(arp_probe(kOurs, kTarget4), expected);
}

TEST(ArpProbeTest, OnlyAReplyToOurProbeIsAnAnswer) {
  EXPECT_EQ(arp_answer(arp_reply(), kOurs), kTarget4);
  auto request = arp_reply();
  request[7] = 1;
  EXPECT_FALSE(arp_answer(request, kOurs));
  auto to_the_kernel = arp_reply();
  to_the_kernel[24] = 198;
  EXPECT_FALSE(arp_answer(to_the_kernel, kOurs));
  EXPECT_FALSE(arp_answer(arp_reply(), MacAddress{0x02, 0, 0, 0, 0, 0x02}));
  const auto whole = arp_reply();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(arp_answer(Bytes(whole).first(size), kOurs));
}

TEST(NeighbourProbeTest, ItGoesToTheSolicitedNodeGroup) {
  EXPECT_EQ(to_text(solicited_node(kTarget6)), "ff02::1:fffe:1234");
  const auto packet = neighbour_solicitation(kOurs, kTarget6);
  EXPECT_EQ(packet[0], 135);
  EXPECT_TRUE(std::equal(kTarget6.bytes.begin(), kTarget6.bytes.end(), packet.begin() + 8));
  EXPECT_EQ(packet[24], 1);
}

TEST(NeighbourProbeTest, OnlyASolicitedAdvertisementIsAnAnswer) {
  std::array<std::uint8_t, 32> packet{136, 0, 0, 0, 0x60};
  std::copy(kTarget6.bytes.begin(), kTarget6.bytes.end(), packet.begin() + 8);
  EXPECT_EQ(neighbour_answer(packet), kTarget6);
  packet[4] = 0x20;  // an announcement to all
  EXPECT_FALSE(neighbour_answer(packet));
  EXPECT_FALSE(neighbour_answer(Bytes(packet).first(23)));
}

TEST(EchoTest, TheAnswerCarriesBackWhatWasSent) {
  const Echo echo{0x1234, 7, 0x1122334455667788};
  auto packet = echo_request(echo, true);
  packet[0] = 129;
  EXPECT_EQ(echo_answer(packet, true), echo);
  std::array<std::uint8_t, 24 + kEchoSize> with_header{};
  with_header[0] = 0x46;  // a header with options
  auto ipv4 = echo_request(echo, false);
  EXPECT_EQ(load_be<std::uint16_t>(ipv4.data() + 2), 0xd46f);
  ipv4[0] = 0;
  std::copy(ipv4.begin(), ipv4.end(), with_header.begin() + 24);
  EXPECT_EQ(echo_answer(with_header, false), echo);
  with_header[0] = 0x4f;  // longer than the packet
  EXPECT_FALSE(echo_answer(Bytes(with_header).first(40), false));
}

TEST(ProbeAnswerTest, ArbitraryBytesAreNeverReadBeyondTheirEnd) {
  Rng rng(11);
  for (int i = 0; i < 20000; ++i) {
    std::vector<std::uint8_t> bytes(rng.below(70));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
    (void)arp_answer(bytes, kOurs);
    (void)neighbour_answer(bytes);
    (void)echo_answer(bytes, true);
    (void)echo_answer(bytes, false);
  }
}

}  // namespace
}  // namespace hotpair::sys
