// The conntrack table's size as node.yaml asks for it, in a namespace that may not change it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/dpdk/kernel_setup.hpp"
#include "platform/linux/sysctl.hpp"
#include "tests/unit/dataplane/conntrack_namespace.hpp"

namespace hotpair::dpdk {
namespace {

using conntrack::test::Inside;
using conntrack::test::Namespace;

std::uint32_t buckets_now() {
  const auto value = sys::read_sysctl_number("net/netfilter/nf_conntrack_buckets");
  return value.ok() ? static_cast<std::uint32_t>(*value) : 0;
}

TEST(KernelSetup, TakesATableThatIsLargeEnoughAsItIs) {
  const Namespace box;
  if (!box) GTEST_SKIP() << conntrack::test::kNoRights;
  const Inside inside(box);
  const std::uint32_t before = buckets_now();
  if (before == 0) GTEST_SKIP() << "the kernel tracks no connections here";
  const auto kernel = prepare_kernel({.max = 0, .buckets = before / 2}, Log{});
  ASSERT_TRUE(kernel.ok()) << kernel.error().message;
  EXPECT_EQ(kernel->buckets, before) << "nothing is lowered";
}

// The hash is the whole machine's, and set in the initial namespace alone.
TEST(KernelSetup, RefusesATableThatStaysTooSmallAndNamesTheCommand) {
  const Namespace box;
  if (!box) GTEST_SKIP() << conntrack::test::kNoRights;
  const Inside inside(box);
  const std::uint32_t before = buckets_now();
  if (before == 0) GTEST_SKIP() << "the kernel tracks no connections here";
  const std::string wanted = std::to_string(before * 2);
  const auto kernel = prepare_kernel({.max = 0, .buckets = before * 2}, Log{});
  ASSERT_FALSE(kernel.ok());
  EXPECT_THAT(kernel.error().message,
              testing::HasSubstr("asks for nf_conntrack_buckets of " + wanted));
  EXPECT_THAT(kernel.error().message,
              testing::HasSubstr("sysctl -w net.netfilter.nf_conntrack_buckets=" + wanted));
  EXPECT_EQ(buckets_now(), before);
}

}  // namespace
}  // namespace hotpair::dpdk
