#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/daemon/probe_round.hpp"
#include "platform/linux/neighbour_probe.hpp"

namespace hotpair::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Instant kStart{1h};

OwnedAddress owned(int ifindex, const std::string& prefix) {
  OwnedAddress address;
  address.prefix = *sys::parse_ip_prefix(prefix);
  address.announcement.ifindex = ifindex;
  address.announcement.address = address.prefix.address;
  address.device = "lan";
  return address;
}

sys::Neighbour neighbour(int ifindex, const std::string& address) {
  return {ifindex, *sys::parse_ip(address), {2, 0, 0, 0, 0, 9}};
}

std::vector<std::string> asked(ProbeRound& round, Instant now) {
  std::vector<std::string> texts;
  for (const auto& sending : round.take_due(now))
    texts.push_back((sending.announce ? "announce to, ask " : "ask ") +
                    sys::to_text(round.question(sending.question).to.address));
  return texts;
}

TEST(ProbeRoundTest, NeighboursOfTheHeldAddressesSubnetsAreAskedAndNoOthers) {
  const std::vector<OwnedAddress> held{owned(3, "192.0.2.1/24"), owned(3, "2001:db8::1/64")};
  ProbeRound round(
      held,
      {neighbour(3, "192.0.2.7"), neighbour(4, "192.0.2.8"), neighbour(3, "198.51.100.9"),
       neighbour(3, "2001:db8::7"), neighbour(3, "fe80::7")},
      kStart);
  EXPECT_THAT(asked(round, kStart), ElementsAre("ask 192.0.2.7", "ask 2001:db8::7"));
}

TEST(ProbeRoundTest, TheRoundIsOverWhenAllHaveAnsweredAndSaysHowLongItTook) {
  const std::vector<OwnedAddress> held{owned(3, "192.0.2.1/24")};
  ProbeRound round(held, {neighbour(3, "192.0.2.7"), neighbour(3, "192.0.2.8")}, kStart);
  asked(round, kStart);
  round.heard(3, *sys::parse_ip("192.0.2.7"), kStart + 1ms);
  EXPECT_FALSE(round.over(kStart + 1ms));
  round.heard(4, *sys::parse_ip("192.0.2.8"), kStart + 2ms);
  EXPECT_FALSE(round.over(kStart + 2ms)) << "an answer on another device proves nothing";
  round.heard(3, *sys::parse_ip("192.0.2.8"), kStart + 3ms);
  EXPECT_TRUE(round.over(kStart + 3ms));
  const auto outcome = round.outcome(held);
  EXPECT_EQ(outcome.asked, 2u);
  EXPECT_EQ(outcome.answered, 2u);
  EXPECT_EQ(outcome.took, 3ms);
}

TEST(ProbeRoundTest, WhoIsSilentIsToldAgainAndAskedAgainAndGivenUpInTheEnd) {
  const std::vector<OwnedAddress> held{owned(3, "192.0.2.1/24")};
  ProbeRound round(held, {neighbour(3, "192.0.2.7")}, kStart);
  EXPECT_THAT(asked(round, kStart), ElementsAre("ask 192.0.2.7"));
  EXPECT_THAT(asked(round, kStart + 50ms), IsEmpty());
  for (const Duration at : {100ms, 300ms, 700ms, 1500ms}) {
    EXPECT_EQ(round.next(), kStart + at);
    EXPECT_THAT(asked(round, kStart + at), ElementsAre("announce to, ask 192.0.2.7"));
  }
  EXPECT_TRUE(round.over(round.next()));
  EXPECT_THAT(round.outcome(held).silent, ElementsAre("192.0.2.7 on lan"));
}

TEST(NeighbourProbeTest, AnArpProbeGoesToOneStationAndClaimsTheAddress) {
  const auto frame =
      sys::arp_probe({2, 0, 0, 0, 0, 1}, *sys::parse_ip("192.0.2.1"), neighbour(3, "192.0.2.7"));
  EXPECT_EQ(frame[5], 9);
  const auto word = sys::parse_arp(frame);
  ASSERT_TRUE(word);
  EXPECT_EQ(sys::to_text(word->address), "192.0.2.1");
  EXPECT_EQ(sys::to_text(word->mac), "02:00:00:00:00:01");
  EXPECT_FALSE(word->answer);
}

TEST(NeighbourProbeTest, AnAdvertisementNamesAddressAndStation) {
  const auto frame =
      sys::unsolicited_advertisement({2, 0, 0, 0, 0, 1}, *sys::parse_ip("2001:db8::1"), true);
  const auto word = sys::parse_advertisement(Bytes(frame).subspan(14 + 40));
  ASSERT_TRUE(word);
  EXPECT_EQ(sys::to_text(word->address), "2001:db8::1");
  EXPECT_EQ(sys::to_text(word->mac), "02:00:00:00:00:01");
  EXPECT_FALSE(word->answer);
}

TEST(NeighbourProbeTest, WhatIsCutShortOrMadeUpIsNotRead) {
  const auto frame =
      sys::arp_probe({2, 0, 0, 0, 0, 1}, *sys::parse_ip("192.0.2.1"), neighbour(3, "192.0.2.7"));
  for (std::size_t size = 0; size < frame.size(); ++size)
    EXPECT_FALSE(sys::parse_arp(Bytes(frame).first(size)));
  auto advertisement =
      sys::unsolicited_advertisement({2, 0, 0, 0, 0, 1}, *sys::parse_ip("2001:db8::1"), true);
  advertisement[14 + 40 + 25] = 0;  // an option of no size
  EXPECT_FALSE(sys::parse_advertisement(Bytes(advertisement).subspan(14 + 40)));
  advertisement[14 + 40 + 25] = 200;  // and one of more than there is
  EXPECT_FALSE(sys::parse_advertisement(Bytes(advertisement).subspan(14 + 40)));
}

}  // namespace
}  // namespace hotpair::daemon
