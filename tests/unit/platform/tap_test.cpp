#include "platform/linux/tap.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "tests/unit/platform/network_namespace.hpp"

namespace hotpair::sys {
namespace {

using test::run_command;

HOTPAIR_NETWORK_TEST(TapTest, carries_frames_both_ways_and_is_gone_with_its_owner) {
  if (access("/dev/net/tun", R_OK) != 0) GTEST_SKIP() << "no /dev/net/tun";
  const MacAddress mac{0x02, 0x48, 0x50, 0, 7, 1};
  {
    auto tap = Tap::open({"hotpair0", mac, 1406});
    ASSERT_TRUE(tap) << tap.error().message;
    const auto facts = device_facts("hotpair0");
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->mac, mac);
    EXPECT_EQ(facts->mtu, 1406u);
    std::array<std::uint8_t, 60> frame{};
    EXPECT_FALSE(tap->write(frame)) << "down";
    ASSERT_TRUE(tap->bring_up());
    EXPECT_TRUE(tap->write(frame));
    ASSERT_TRUE(
        run_command("ip addr add 169.254.200.29/30 dev hotpair0 && "
                    "ip neigh add 169.254.200.30 lladdr 02:48:50:00:07:02 dev hotpair0 && "
                    "bash -c 'echo hello > /dev/udp/169.254.200.30/9'"));
    std::array<std::uint8_t, 2048> out{};
    bool sent = false;
    for (int i = 0; i < 64 && !sent; ++i) {
      pollfd waited{tap->fd(), POLLIN, 0};
      if (poll(&waited, 1, 1000) <= 0) break;
      const std::size_t size = tap->read(out);
      sent = size > 34 && out[12] == 0x08 && out[13] == 0x00;
    }
    EXPECT_TRUE(sent);
    EXPECT_FALSE(Tap::open({"hotpair0", mac, 1406})) << "one at a time";
  }
  EXPECT_FALSE(device_facts("hotpair0"));
}

}  // namespace
}  // namespace hotpair::sys
