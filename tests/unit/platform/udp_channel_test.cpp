#include "platform/linux/udp_channel.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "platform/linux/clock.hpp"
#include "tests/unit/platform/network_namespace.hpp"

namespace hotpair::sys {
namespace {

using test::run_command;

std::unique_ptr<UdpChannel> channel(const std::string& local, const std::string& peer) {
  auto opened = UdpChannel::open({*parse_ip(local), *parse_ip(peer), 9890});
  EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
  return opened ? std::move(opened).value() : nullptr;
}

std::string received_by(UdpChannel& channel) {
  pollfd watched{channel.fd(), POLLIN, 0};
  poll(&watched, 1, 1000);
  std::string text;
  channel.receive([&](Bytes payload, Instant heard_at) {
    EXPECT_LT(now() - heard_at, 5s);
    EXPECT_LE(heard_at, now());
    text.append(payload.begin(), payload.end());
  });
  return text;
}

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

HOTPAIR_NETWORK_TEST(UdpChannelTest, peers_hear_each_other_over_both_families) {
  ASSERT_TRUE(
      run_command("ip -6 addr add 2001:db8::1/128 dev lo nodad && "
                  "ip -6 addr add 2001:db8::2/128 dev lo nodad"));
  for (const auto& [a, b] : {std::pair("127.0.0.1", "127.0.0.2"), {"2001:db8::1", "2001:db8::2"}}) {
    const auto one = channel(a, b), two = channel(b, a);
    ASSERT_TRUE(one && two);
    EXPECT_TRUE(one->send(bytes_of("hello")));
    EXPECT_EQ(received_by(*two), "hello");
    EXPECT_EQ(two->counters().received, 1u);
  }
}

HOTPAIR_NETWORK_TEST(UdpChannelTest, others_than_the_peer_are_counted_and_not_heard) {
  const auto ours = channel("127.0.0.1", "127.0.0.2");
  const auto stranger = channel("127.0.0.3", "127.0.0.1");
  ASSERT_TRUE(ours && stranger);
  EXPECT_TRUE(stranger->send(bytes_of("hello")));
  EXPECT_EQ(received_by(*ours), "");
  EXPECT_EQ(ours->counters().foreign, 1u);
}

HOTPAIR_NETWORK_TEST(UdpChannelTest, an_address_that_is_not_there_yet_can_be_used_when_it_comes) {
  const auto ours = channel("203.0.113.11", "203.0.113.12");
  ASSERT_TRUE(ours);
  EXPECT_FALSE(ours->send(bytes_of("hello")));
  ASSERT_TRUE(
      run_command("ip addr add 203.0.113.11/32 dev lo && ip addr add 203.0.113.12/32 dev lo"));
  const auto peer = channel("203.0.113.12", "203.0.113.11");
  EXPECT_TRUE(ours->send(bytes_of("hello")));
  EXPECT_EQ(received_by(*peer), "hello");
}

}  // namespace
}  // namespace hotpair::sys
