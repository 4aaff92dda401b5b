// What the agent keeps and says of its passwords: the file of the state directory, the next step of
// a rotation, the assumptions of a rehearsal.
#include <gtest/gtest.h>

#include "agent/daemon/password_rotation.hpp"
#include "agent/daemon/rehearsal.hpp"
#include "platform/linux/state_file.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::daemon {
namespace {

using agent::LoadedPasswords;
using agent::PasswordUse;

constexpr agent::PasswordId kOld = 0x01d, kNew = 0x2e3, kThird = 0x333;
constexpr LoadedPasswords kBoth{kOld, kNew}, kOnlyOld{kOld, 0}, kOnlyNew{kNew, 0};

bool says(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

TEST(PasswordSteps, LeadThroughARotation) {
  const PasswordUse old_alone{0, kOld, 0}, old_first{0, kOld, kNew}, new_first{1, kNew, kOld},
      new_alone{1, kNew, 0};
  EXPECT_TRUE(says(next_step(kOnlyOld, old_alone, {}), "wait"));
  EXPECT_TRUE(says(next_step(kOnlyOld, old_alone, old_alone), "append the new one"));
  EXPECT_TRUE(says(next_step(kBoth, old_first, old_alone), "on the other node"));
  EXPECT_TRUE(says(next_step(kBoth, old_first, old_first), "'hotpair password switch'"));
  EXPECT_TRUE(says(next_step(kBoth, old_first, new_first), "'hotpair password switch'"));
  EXPECT_TRUE(says(next_step(kBoth, new_first, new_first), "remove the first line"));
  EXPECT_TRUE(says(next_step(kBoth, new_first, new_first), "both nodes"));
  EXPECT_TRUE(says(next_step(kBoth, new_first, new_alone), "of this node"));
  EXPECT_TRUE(says(next_step(kOnlyNew, new_alone, new_first), "of the other node"));
  EXPECT_TRUE(says(next_step(kBoth, old_first, {0, kOld, kThird}), "differ"));
}

TEST(PasswordState, SurvivesARestartAndItsOwnDamage) {
  const test::TemporaryDirectory directory;
  const auto path = directory.file(kPasswordFile);
  EXPECT_EQ(read_password_use(directory.path()), PasswordUse{});
  ASSERT_TRUE(sys::write_state_file(path, password_use_text({7, kNew, kOld})).ok());
  EXPECT_EQ(read_password_use(directory.path()), (PasswordUse{7, kNew, 0}));
  for (const char* damaged :
       {"", "{", "{\"used\": 7, \"round\": 1}", "{\"used\": \"xyz\", \"round\": 1}",
        "{\"used\": \"1d\", \"round\": -1}"}) {
    ASSERT_TRUE(sys::write_state_file(path, damaged).ok());
    EXPECT_EQ(read_password_use(directory.path()), PasswordUse{}) << damaged;
  }
}

class Rehearsals : public testing::Test {
 protected:
  Result<std::vector<agent::Assumption>> parse(const char* text) const {
    return parse_assumptions(nlohmann::json::parse(text), agent::ChassisId::one,
                             [](int slot) -> std::optional<KnownModule> {
                               if (slot != 3) return std::nullopt;
                               return KnownModule{true};
                             });
  }
};

TEST_F(Rehearsals, TakeEachKindOfAssumption) {
  const auto parsed = parse(R"({"assumptions": [{"kind": "link", "name": "wan", "good": true},
      {"kind": "module", "slot": 3, "node": 2}, {"kind": "forced", "state": "backup"},
      {"kind": "uptime", "seconds": 60}, {"kind": "power", "node": 2}]})");
  ASSERT_TRUE(parsed.ok());
  ASSERT_EQ(parsed->size(), 5u);
  EXPECT_EQ((*parsed)[0].name.view(), "wan");
  EXPECT_TRUE((*parsed)[0].good);
  EXPECT_EQ((*parsed)[0].node, agent::ChassisId::one);
  EXPECT_EQ((*parsed)[1].node, agent::ChassisId::two);
  EXPECT_FALSE((*parsed)[1].module_ok) << "only this node's modules are known";
  EXPECT_EQ((*parsed)[2].forced, agent::Forced::backup);
  EXPECT_EQ((*parsed)[3].uptime, 60s);
}

TEST_F(Rehearsals, RefuseWhatTheyDoNotUnderstandInASentence) {
  for (const char* request :
       {"{}", R"({"assumptions": []})", R"({"assumptions": 7})", R"({"assumptions": [7]})",
        R"({"assumptions": [{"kind": "weather"}]})",
        R"({"assumptions": [{"kind": "link", "node": 3}]})",
        R"({"assumptions": [{"kind": "module", "slot": 4}]})",
        R"({"assumptions": [{"kind": "module", "slot": 9999999999999}]})",
        R"({"assumptions": [{"kind": "uptime", "seconds": -1}]})",
        R"({"assumptions": [{"kind": "forced", "state": "maybe"}]})"}) {
    const auto parsed = parse(request);
    ASSERT_FALSE(parsed.ok()) << request;
    EXPECT_FALSE(parsed.error().message.empty());
  }
  std::string many = R"({"assumptions": [{"kind": "power"})";
  for (int i = 0; i < 16; ++i) many += R"(,{"kind": "power"})";
  EXPECT_FALSE(parse((many + "]}").c_str()).ok());
}

}  // namespace
}  // namespace hotpair::daemon
