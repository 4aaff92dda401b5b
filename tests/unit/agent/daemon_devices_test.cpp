#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/daemon/virtual_devices.hpp"
#include "platform/linux/sysctl.hpp"
#include "tests/unit/platform/network_namespace.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::daemon {
namespace {

using test::run_command;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kArpIgnore = "net/ipv4/conf/lo/arp_ignore";
constexpr const char* kArpAnnounce = "net/ipv4/conf/lo/arp_announce";

std::string value_of(const std::string& name) {
  const auto value = sys::read_sysctl(name);
  return value ? *value : "none";
}

HOTPAIR_NETWORK_TEST(KernelSettingsTest, what_was_changed_is_put_back_also_by_the_next_run) {
  const test::TemporaryDirectory run_dir;
  KernelSettings crashed(run_dir.path());
  ASSERT_TRUE(crashed.set({{kArpIgnore, "1"}, {kArpAnnounce, "2"}}));
  ASSERT_TRUE(crashed.set({{kArpIgnore, "2"}})) << "what it was before is kept";
  EXPECT_EQ(value_of(kArpIgnore), "2");

  KernelSettings next(run_dir.path());
  ASSERT_TRUE(next.set({{kArpIgnore, "1"}}));
  EXPECT_THAT(next.restore(), IsEmpty());
  EXPECT_EQ(value_of(kArpIgnore), "0");
  EXPECT_EQ(value_of(kArpAnnounce), "0");
  EXPECT_FALSE(std::filesystem::exists(run_dir.path() + "/" + kSettingsFile));
}

HOTPAIR_NETWORK_TEST(KernelSettingsTest, what_somebody_set_since_stays_as_he_set_it) {
  const test::TemporaryDirectory run_dir;
  KernelSettings settings(run_dir.path());
  ASSERT_TRUE(settings.set({{kArpIgnore, "1"}}));
  ASSERT_TRUE(sys::write_sysctl(kArpIgnore, "8"));
  EXPECT_THAT(settings.restore(), IsEmpty());
  EXPECT_EQ(value_of(kArpIgnore), "8");
}

NodePlan plan_with_macvlan() {
  NodePlan plan;
  plan.virtual_devices = {{"lan", "hv-lan", "va", {2, 0x48, 0x50, 0, 7, 1}}};
  return plan;
}

HOTPAIR_NETWORK_TEST(VirtualDevicesTest, a_macvlan_is_made_with_the_settings_it_needs_and_once) {
  ASSERT_TRUE(
      run_command("ip link add va type veth peer name vz && ip link set va up && "
                  "echo 1 > /proc/sys/net/ipv4/conf/va/rp_filter"));
  const test::TemporaryDirectory run_dir;
  KernelSettings settings(run_dir.path());
  auto table = std::move(*sys::AddressTable::open());
  const NodePlan plan = plan_with_macvlan();
  const auto work = [&](bool afresh) {
    return device_work(plan, (*sys::LinkMonitor::open())->all(), 7, afresh);
  };
  EXPECT_THAT(carry_out(work(true), table, settings), IsEmpty());
  EXPECT_EQ(value_of("net/ipv4/conf/va/arp_ignore"), "1");
  EXPECT_EQ(value_of("net/ipv4/conf/va/rp_filter"), "2") << "strict would drop one of two ways";
  EXPECT_EQ(value_of("net/ipv6/conf/hv-lan/addr_gen_mode"), "1");
  EXPECT_THAT(work(false).creations, IsEmpty()) << "it is adopted";
  EXPECT_THAT(work(false).removals, IsEmpty());
  EXPECT_EQ(work(true).removals.size(), 1u) << "an earlier run's is not";
  const auto unwanted = device_work(NodePlan(), (*sys::LinkMonitor::open())->all(), 7, false);
  EXPECT_EQ(unwanted.removals.size(), 1u);
  EXPECT_THAT(device_work(NodePlan(), (*sys::LinkMonitor::open())->all(), 8, true).removals,
              IsEmpty())
      << "another cluster's";
  EXPECT_THAT(carry_out(unwanted, table, settings), IsEmpty());
  EXPECT_THAT(settings.restore(), IsEmpty());
  EXPECT_EQ(value_of("net/ipv4/conf/va/rp_filter"), "1");
}

}  // namespace
}  // namespace hotpair::daemon
