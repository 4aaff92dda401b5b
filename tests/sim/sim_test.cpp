// Some hundreds of random runs of the pair; tests/sim/main.cpp runs as many as one likes.
#include <gtest/gtest.h>

#include "tests/sim/swarm.hpp"

namespace hotpair::simulation {
namespace {

class Seeds : public testing::TestWithParam<int> {};

TEST_P(Seeds, HoldWhatMustHold) {
  constexpr int kSeedsPerTest = 20;
  for (int i = 0; i < kSeedsPerTest; ++i) {
    const auto seed = static_cast<std::uint64_t>(GetParam() * kSeedsPerTest + i + 1);
    const RunResult result = run_seed(seed, false);
    EXPECT_TRUE(result.violation.empty())
        << result.violation << "\nrepeat with: sim --seed " << seed << " --verbose";
  }
}

INSTANTIATE_TEST_SUITE_P(Pair, Seeds, testing::Range(0, 10));

TEST(Simulation, RepeatsARunExactly) {
  EXPECT_EQ(run_seed(42, false).story, run_seed(42, false).story);
}

}  // namespace
}  // namespace hotpair::simulation
