#include "platform/linux/pcap_channel.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "platform/base/rng.hpp"
#include "platform/linux/clock.hpp"
#include "tests/unit/platform/hex.hpp"
#include "tests/unit/platform/network_namespace.hpp"

namespace hotpair::sys {
namespace {

using test::from_hex;
using test::run_command;
using test::to_hex;

constexpr const char* kAddresses =
    "034850000007"
    "02000000000a";

struct Heard {
  std::string frame, payload;
  std::optional<std::uint16_t> vlan;
  std::uint8_t pcp = 0, tags = 0;
  Instant heard_at;
};

std::unique_ptr<PcapChannel> open_channel(const char* device) {
  PcapOptions options;
  options.device = device;
  auto channel = PcapChannel::open(options);
  EXPECT_TRUE(channel.ok()) << (channel.ok() ? "" : channel.error().message);
  return channel.ok() ? std::move(*channel) : nullptr;
}

std::vector<Heard> receive(PcapChannel& channel, std::size_t count) {
  std::vector<Heard> heard;
  const Instant patience = now() + 3s;
  while (heard.size() < count && now() < patience) {
    pollfd watched{channel.fd(), POLLIN, 0};
    poll(&watched, 1, 100);
    auto got = channel.receive([&](const FrameView& f) {
      heard.push_back({to_hex(f.frame), to_hex(f.payload), f.vlan, f.pcp, f.tags, f.heard_at});
    });
    EXPECT_TRUE(got.ok());
  }
  return heard;
}

void make_pair() {
  ASSERT_TRUE(
      run_command("ip link add name va type veth peer name vb && ip link set va up && "
                  "ip link set vb up"));
}

const std::string kPayload = "48504842" + std::string(100, '0');

HOTPAIR_NETWORK_TEST(PcapChannelTest, a_tagged_frame_arrives_as_it_was_on_the_wire) {
  make_pair();
  auto a = open_channel("va"), b = open_channel("vb");
  const std::string frame = kAddresses + std::string("8100e3e79890") + kPayload;  // PCP 7, VLAN 999
  const Instant before = now();
  ASSERT_TRUE(a->send(from_hex(frame)).ok());
  const auto heard = receive(*b, 1);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].frame, frame);
  EXPECT_EQ(heard[0].payload, kPayload);
  EXPECT_EQ(heard[0].vlan, 999);
  EXPECT_EQ(heard[0].pcp, 7);
  EXPECT_GE(heard[0].heard_at, before - 1ms);
  EXPECT_LE(heard[0].heard_at, now());
}

HOTPAIR_NETWORK_TEST(PcapChannelTest,
                     wrong_double_and_missing_tags_arrive_too_so_they_can_be_named) {
  make_pair();
  auto a = open_channel("va"), b = open_channel("vb");
  for (const char* tags : {"", "81000005", "88a800078100e3e7", "8100000781000008"})
    ASSERT_TRUE(a->send(from_hex(kAddresses + std::string(tags) + "9890" + kPayload)).ok());
  const auto heard = receive(*b, 4);
  ASSERT_EQ(heard.size(), 4u);
  EXPECT_EQ(heard[0].vlan, std::nullopt);
  EXPECT_EQ(heard[1].vlan, 5);
  EXPECT_EQ(heard[2].vlan, 7);
  EXPECT_EQ(heard[2].tags, 2);
  EXPECT_EQ(heard[2].frame.substr(24, 16), "88a800078100e3e7");
  EXPECT_EQ(heard[3].tags, 2);
  for (const Heard& each : heard) EXPECT_EQ(each.payload, kPayload);
}

HOTPAIR_NETWORK_TEST(PcapChannelTest, other_ethertypes_do_not_arrive) {
  make_pair();
  auto a = open_channel("va"), b = open_channel("vb");
  ASSERT_TRUE(a->send(from_hex(kAddresses + std::string("9891") + kPayload)).ok());
  ASSERT_TRUE(a->send(from_hex(kAddresses + std::string("8100e3e79891") + kPayload)).ok());
  ASSERT_TRUE(a->send(from_hex(kAddresses + std::string("9890") + kPayload)).ok());
  const auto heard =
      receive(*b, 1);  // frames arrive in order: the wrong ones would have come first
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].frame.substr(24, 4), "9890");
}

HOTPAIR_NETWORK_TEST(PcapChannelTest, what_we_send_does_not_come_back) {
  make_pair();
  auto a = open_channel("va"), b = open_channel("vb");
  ASSERT_TRUE(a->send(from_hex(kAddresses + std::string("8100e3e79890") + kPayload)).ok());
  EXPECT_EQ(receive(*b, 1).size(), 1u);
  EXPECT_EQ(*a->receive([](const FrameView&) { FAIL() << "our own frame"; }), 0u);
}

HOTPAIR_NETWORK_TEST(PcapChannelTest, a_channel_for_sending_alone_hears_nothing) {
  make_pair();
  PcapOptions options;
  options.device = "vb";
  options.receive = false;
  auto sender = std::move(*PcapChannel::open(options));
  auto a = open_channel("va");
  ASSERT_TRUE(a->send(from_hex(kAddresses + std::string("9890") + kPayload)).ok());
  ASSERT_TRUE(sender->send(from_hex(kAddresses + std::string("9890") + kPayload)).ok());
  EXPECT_EQ(receive(*a, 1).size(), 1u);
  EXPECT_EQ(*sender->receive([](const FrameView&) { FAIL(); }), 0u);
}

HOTPAIR_NETWORK_TEST(PcapChannelTest, frames_cross_a_bridge_that_filters_no_tags) {
  ASSERT_TRUE(run_command(
      "ip link add name va type veth peer name pa && ip link add name vb type veth peer name pb && "
      "ip link add br0 type bridge && ip link set pa master br0 && ip link set pb master br0 && "
      "for i in va vb pa pb br0; do ip link set $i up; done"));
  auto a = open_channel("va"), b = open_channel("vb");
  const std::string frame = kAddresses + std::string("8100e3e79890") + kPayload;
  std::vector<Heard> heard;
  // The bridge's ports learn their carrier in their own time.
  for (int i = 0; i < 20 && heard.empty(); ++i) {
    (void)a->send(from_hex(frame)).ok();
    pollfd watched{b->fd(), POLLIN, 0};
    if (poll(&watched, 1, 100) > 0) heard = receive(*b, 1);
  }
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard[0].frame, frame);
  EXPECT_EQ(heard[0].vlan, 999);
}

HOTPAIR_NETWORK_TEST(PcapChannelTest, a_device_taken_down_and_up_again_goes_on) {
  make_pair();
  auto a = open_channel("va"), b = open_channel("vb");
  ASSERT_TRUE(run_command("ip link set vb down"));
  for (int i = 0; i < 5; ++i) {
    auto got = b->receive([](const FrameView&) {});
    EXPECT_TRUE(got.ok()) << (got.ok() ? "" : got.error().message);
  }
  EXPECT_FALSE(b->send(from_hex(kAddresses + std::string("9890") + kPayload)).ok());
  ASSERT_TRUE(run_command("ip link set vb up"));
  ASSERT_TRUE(a->send(from_hex(kAddresses + std::string("9890") + kPayload)).ok());
  EXPECT_EQ(receive(*b, 1).size(), 1u);
}

HOTPAIR_NETWORK_TEST(PcapChannelTest, a_device_that_goes_away_is_an_error_and_can_be_opened_again) {
  make_pair();
  auto b = open_channel("vb");
  ASSERT_TRUE(run_command("ip link del va"));
  pollfd watched{b->fd(), POLLIN, 0};
  EXPECT_GT(poll(&watched, 1, 5000), 0) << "the loop must be woken";
  auto got = b->receive([](const FrameView&) {});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().message, "vb is gone; see 'ip link'");
  make_pair();
  auto a = open_channel("va");
  b = open_channel("vb");
  ASSERT_TRUE(a->send(from_hex(kAddresses + std::string("9890") + kPayload)).ok());
  EXPECT_EQ(receive(*b, 1).size(), 1u);
}

HOTPAIR_NETWORK_TEST(PcapChannelTest, a_device_that_is_down_is_opened_once_it_is_up) {
  ASSERT_TRUE(run_command("ip link add name va type veth peer name vb"));
  PcapOptions options;
  options.device = "vb";
  auto channel = PcapChannel::open(options);
  ASSERT_FALSE(channel.ok());
  EXPECT_EQ(channel.error().message,
            "cannot open vb for raw frames: it is down; bring it up with 'ip link set vb up'");
  ASSERT_TRUE(run_command("ip link set vb up"));
  EXPECT_TRUE(PcapChannel::open(options).ok());
}

HOTPAIR_NETWORK_TEST(PcapChannelTest, a_full_frame_passes_and_a_longer_one_is_counted) {
  ASSERT_TRUE(
      run_command("ip link add name va mtu 9000 type veth peer name vb mtu 9000 && "
                  "ip link set va up && ip link set vb up"));
  auto a = open_channel("va"), b = open_channel("vb");
  std::vector<std::uint8_t> frame = from_hex(kAddresses + std::string("8100e3e79890"));
  frame.resize(1518);
  ASSERT_TRUE(a->send(frame).ok());
  EXPECT_EQ(receive(*b, 1).size(), 1u);
  frame.resize(4000);
  ASSERT_TRUE(a->send(frame).ok());
  ASSERT_TRUE(a->send(from_hex(kAddresses + std::string("9890") + kPayload)).ok());
  EXPECT_EQ(receive(*b, 1).size(), 1u);
  EXPECT_EQ(b->counters().truncated, 1u);
}

HOTPAIR_NETWORK_TEST(PcapChannelTest, a_flood_is_dropped_and_counted_by_the_kernel) {
  make_pair();
  auto a = open_channel("va"), b = open_channel("vb");
  const auto frame = from_hex(kAddresses + std::string("9890") + kPayload);
  for (int i = 0; i < 5000; ++i) (void)a->send(frame).ok();
  std::size_t got = 0;
  for (int i = 0; i < 1000; ++i) got += *b->receive([](const FrameView&) {}, 64);
  EXPECT_GT(got, 64u);
  EXPECT_LT(got, 5000u);
  EXPECT_EQ(b->counters().received, got);
  EXPECT_GT(b->counters().dropped, 0u);
}

HOTPAIR_NETWORK_TEST(PcapChannelTest, a_missing_device_is_named) {
  PcapOptions options;
  options.device = "nonesuch";
  auto channel = PcapChannel::open(options);
  ASSERT_FALSE(channel.ok());
  EXPECT_EQ(channel.error().message,
            "cannot open nonesuch for raw frames: there is no such device; see 'ip link'");
}

TEST(DissectFrameTest, headers_cut_off_anywhere_are_no_frame) {
  const auto frame = from_hex(kAddresses + std::string("88a800078100e3e79890"));
  for (std::size_t size = 0; size < frame.size(); ++size)
    EXPECT_FALSE(dissect_frame(Bytes(frame).first(size)).has_value()) << size;
  const auto view = dissect_frame(frame);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->ethertype, 0x9890);
  EXPECT_TRUE(view->payload.empty());
  EXPECT_EQ(to_text(view->source), "02:00:00:00:00:0a");
}

}  // namespace
}  // namespace hotpair::sys
