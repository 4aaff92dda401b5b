// How both nodes come to use a new password while each accepts the old one and the new.
#include "agent/core/password_rotation.hpp"

#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

constexpr PasswordId kOld = 0x01d, kNew = 0x2e3, kThird = 0x333;
constexpr LoadedPasswords kBoth{kOld, kNew};

TEST(PasswordRotation, GoesOnWithWhatWasUsedBeforeARestart) {
  const auto use = choose_password(kBoth, {3, kNew, kOld}, {});
  EXPECT_EQ(use, (PasswordUse{3, kNew, kOld}));
  EXPECT_EQ(choose_password(kBoth, {}, {}).used, kOld) << "the first line, knowing nothing";
  EXPECT_EQ(choose_password({kThird, kNoPassword}, {3, kNew, kOld}, {}).used, kThird);
}

TEST(PasswordRotation, ChoosesWhatThePeerCanRead) {
  EXPECT_EQ(choose_password(kBoth, {}, {1, kNew, kNoPassword}).used, kNew);
  EXPECT_EQ(choose_password(kBoth, {}, {1, kNew, kOld}).used, kOld);
}

TEST(PasswordRotation, FollowsAHigherRound) {
  const PasswordUse ours{1, kOld, kNew};
  EXPECT_EQ(follow_password(ours, {2, kNew, kOld}), (PasswordUse{2, kNew, kOld}));
  EXPECT_FALSE(follow_password(ours, {1, kNew, kOld})) << "of the same round, each stays";
  EXPECT_FALSE(follow_password(ours, {2, kThird, kOld})) << "to a password that is not loaded";
  EXPECT_FALSE(follow_password(ours, {}));
}

TEST(PasswordRotation, FollowsAPeerThatCannotReadThisNodeWhateverTheRound) {
  EXPECT_EQ(follow_password({5, kOld, kNew}, {0, kNew, kNoPassword}), (PasswordUse{5, kNew, kOld}));
}

TEST(PasswordRotation, SwitchesOnlyToWhatBothHaveLoaded) {
  const PasswordUse ours{1, kOld, kNew};
  const auto done = switch_password(ours, kNew, {4, kOld, kNew});
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(*done, (PasswordUse{5, kNew, kOld})) << "above both rounds";
  EXPECT_NE(std::string(switch_password(ours, kNew, {4, kOld, kNoPassword}).error().view())
                .find("has not loaded"),
            std::string::npos);
  EXPECT_FALSE(switch_password(ours, kNew, {}).ok());
  EXPECT_FALSE(switch_password({1, kOld, kNoPassword}, kNoPassword, {4, kOld, kNew}).ok());
}

TEST(PasswordRotation, ASwitchIsFollowedOnce) {
  const PasswordUse one = *switch_password({0, kOld, kNew}, kNew, {0, kOld, kNew});
  const auto two = follow_password({0, kOld, kNew}, one);
  ASSERT_TRUE(two);
  EXPECT_EQ(*two, one);
  EXPECT_FALSE(follow_password(*two, one));
  EXPECT_FALSE(follow_password(one, *two));
}

}  // namespace
}  // namespace hotpair::agent
