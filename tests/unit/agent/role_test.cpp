// The table of roles is total, and the diagram of agent/README.md says the same as the table.
#include "agent/core/role.hpp"

#include <set>

#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

TEST(Roles, EveryRoleAnswersEveryCause) {
  std::set<std::string> moves;
  for (std::size_t r = 0; r < kRoles; ++r)
    for (std::size_t c = 0; c < kCauses; ++c) {
      const auto role = static_cast<Role>(r);
      const Transition& t = transition(role, static_cast<Cause>(c));
      EXPECT_NE(to_string(static_cast<Cause>(c)), "unknown");
      EXPECT_NE(to_string(t.kind), "unknown");
      if (t.to != role)
        moves.insert(std::string(to_string(role)) + "->" + std::string(to_string(t.to)));
    }
  EXPECT_EQ(moves, (std::set<std::string>{"init->backup", "init->primary", "init->fault",
                                          "backup->primary", "primary->backup", "fault->init",
                                          "fault->backup"}));
}

TEST(Roles, ANodeInFaultNeverBecomesPrimaryDirectly) {
  for (std::size_t c = 0; c < kCauses; ++c)
    EXPECT_NE(transition(Role::fault, static_cast<Cause>(c)).to, Role::primary);
}

TEST(Epochs, NeverMeetBetweenTheTwoNodes) {
  for (std::uint64_t n = 0; n < 100; ++n) {
    const Epoch one = next_epoch({n}, ChassisId::one), two = next_epoch({n}, ChassisId::two);
    EXPECT_GT(one, Epoch{n});
    EXPECT_GT(two, Epoch{n});
    EXPECT_EQ(one.number % 2, 1u);
    EXPECT_EQ(two.number % 2, 0u);
  }
}

}  // namespace
}  // namespace hotpair::agent
