// Configuration sync: what belongs to it, and what is decided about each path.
#include "agent/core/config_sync.hpp"

#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

ConfigEntry entry(std::uint8_t content, std::uint32_t mode = 0644) {
  ConfigEntry e;
  e.mode = mode;
  e.size = 1;
  e.hash[0] = content;
  return e;
}

ConfigEntry directory() {
  ConfigEntry e;
  e.kind = ConfigEntry::Kind::directory;
  e.mode = 0755;
  return e;
}

TEST(Globs, MatchAsInTheShell) {
  EXPECT_TRUE(glob_matches("/etc/*.conf", "/etc/a.conf"));
  EXPECT_FALSE(glob_matches("/etc/*.conf", "/etc/d/a.conf")) << "a star stops at a slash";
  EXPECT_TRUE(glob_matches("/etc/**.conf", "/etc/d/e/a.conf"));
  EXPECT_TRUE(glob_matches("*.swp", ".a.swp"));
  EXPECT_TRUE(glob_matches("/etc/**/x*y", "/etc/a/xb/xcy")) << "a later star may be tried again";
  EXPECT_TRUE(glob_matches("rule-[0-9][!a].nft", "rule-7b.nft"));
  EXPECT_FALSE(glob_matches("rule-[0-9].nft", "rule-x.nft"));
  EXPECT_FALSE(glob_matches("a?c", "a/c"));
  EXPECT_TRUE(glob_matches("a[", "a[")) << "never closed";
  EXPECT_TRUE(glob_matches("*a*b*", "xxaxxbxx"));
  EXPECT_EQ(glob_root("/etc/nft/*.d/x"), "/etc/nft");
  EXPECT_EQ(glob_root("/*"), "/");
}

TEST(ConfigScopes, TakeInWhatIsNamedAndNothingElse) {
  ConfigScope scope;
  scope.paths = {"/etc/nftables.conf", "/etc/frr", "/etc/x/*.conf"};
  scope.ignore = {"*.swp", "/etc/frr/secret/**"};
  scope.never = {"/etc/frr/node.yaml"};
  EXPECT_EQ(scope_of(scope, "/etc/nftables.conf"), "/etc/nftables.conf");
  EXPECT_EQ(scope_of(scope, "/etc/frr/a/b"), "/etc/frr");
  EXPECT_EQ(scope_of(scope, "/etc/x/a.conf"), "/etc/x/*.conf");
  for (const char* outside :
       {"/etc/frr-other", "/etc/passwd", "/etc/frr/../passwd", "/etc/frr/./a", "etc/frr/a",
        "/etc/frr//a", "/etc/frr/.a.swp", "/etc/frr/secret/key", "/etc/frr/node.yaml",
        "/etc/frr/a.hotpair-conflict-20260101T000000Z", "/etc/x/d/a.conf"})
    EXPECT_FALSE(scope_of(scope, outside)) << outside;
}

struct Plans : testing::Test {
  ConfigPlan plan(ReceiverChanges policy = ReceiverChanges::keep, bool forced = false) const {
    return plan_config(sender, receiver, base, policy, forced);
  }
  ConfigManifest sender, receiver, base;
};

TEST_F(Plans, EmptyADirectoryBeforeItBecomesAFile) {
  base = receiver = {{"/d", directory()}, {"/d/a", entry(1)}, {"/e", entry(2)}};
  sender = {{"/d", entry(3)}};
  const auto p = plan();
  ASSERT_EQ(p.operations.size(), 3u);
  EXPECT_EQ(p.operations[0].path, "/d/a");
  EXPECT_EQ(p.operations[1].path, "/d");
  EXPECT_EQ(p.operations[2].path, "/e");
}

TEST_F(Plans, RemoveNothingOnTheBackupThatThePrimaryHasAndCannotRead) {
  base = receiver = {
      {"/d", directory()}, {"/d/a", entry(1)}, {"/huge", entry(2)}, {"/gone", entry(3)}};
  const auto p = plan_config(sender, receiver, base, ReceiverChanges::keep, true, {"/d", "/huge"});
  ASSERT_EQ(p.operations.size(), 1u);
  EXPECT_EQ(p.operations[0].path, "/gone");
  EXPECT_EQ(p.unseen, (std::vector<std::string>{"/d", "/d/a", "/huge"}));
  EXPECT_FALSE(p.agrees());
  EXPECT_EQ(next_base(sender, base, p).size(), 3u) << "they are judged by it once they can be read";
}

TEST_F(Plans, ChangeNothingBetweenEquals) {
  sender["/a"] = receiver["/a"] = entry(1);
  EXPECT_TRUE(plan().in_sync());
  EXPECT_EQ(next_base(sender, base, plan()), sender) << "now they have agreed";
}

TEST_F(Plans, SendWhatTheSenderChanged) {
  base["/a"] = receiver["/a"] = entry(1);
  sender["/a"] = entry(2);
  sender["/new"] = entry(3);
  const auto p = plan();
  ASSERT_EQ(p.operations.size(), 2u);
  EXPECT_EQ(p.operations[0], (ConfigOperation{"/a", entry(2), entry(1), false}));
  EXPECT_EQ(p.operations[1], (ConfigOperation{"/new", entry(3), std::nullopt, false}));
  EXPECT_TRUE(p.conflicts.empty() && p.kept.empty());
}

TEST_F(Plans, CountRightsAsAChange) {
  base["/a"] = receiver["/a"] = entry(1, 0644);
  sender["/a"] = entry(1, 0600);
  EXPECT_EQ(plan().operations.size(), 1u);
}

TEST_F(Plans, RemoveWhatTheSenderRemoved) {
  base["/d"] = receiver["/d"] = directory();
  base["/d/a"] = receiver["/d/a"] = entry(1);
  const auto p = plan();
  ASSERT_EQ(p.operations.size(), 2u);
  EXPECT_EQ(p.operations[0].path, "/d/a") << "what is in a directory goes first";
  EXPECT_FALSE(p.operations[0].entry);
}

TEST_F(Plans, LeaveOrRevertWhatTheReceiverAloneChanged) {
  base["/a"] = sender["/a"] = entry(1);
  receiver["/a"] = entry(2);
  receiver["/made-there"] = entry(5);
  auto p = plan();
  EXPECT_TRUE(p.operations.empty());
  EXPECT_EQ(p.kept, (std::vector<std::string>{"/a", "/made-there"}));
  EXPECT_FALSE(p.in_sync());
  EXPECT_EQ(next_base(sender, base, p), base) << "it is still seen as the receiver's change";
  p = plan(ReceiverChanges::revert);
  EXPECT_EQ(p.reverted, (std::vector<std::string>{"/a", "/made-there"}));
  ASSERT_EQ(p.operations.size(), 2u);
  EXPECT_TRUE(p.operations[0].keep_beside && p.operations[1].keep_beside);
}

TEST_F(Plans, NameAConflictAndLoseNeitherVersion) {
  base["/a"] = entry(1);
  sender["/a"] = entry(2);
  receiver["/a"] = entry(3);
  const auto p = plan();
  EXPECT_EQ(p.conflicts, std::vector<std::string>{"/a"});
  ASSERT_EQ(p.operations.size(), 1u);
  EXPECT_EQ(p.operations[0], (ConfigOperation{"/a", entry(2), entry(3), true}));
}

TEST_F(Plans, TakeTwoThatNeverAgreedForAConflict) {
  sender["/a"] = entry(2);
  receiver["/a"] = entry(3);
  EXPECT_EQ(plan().conflicts, std::vector<std::string>{"/a"});
}

TEST_F(Plans, LetAnOperatorDecide) {
  base["/a"] = sender["/a"] = entry(1);
  receiver["/a"] = entry(2);
  receiver["/made-there"] = entry(5);
  const auto p = plan(ReceiverChanges::keep, true);
  EXPECT_EQ(p.operations.size(), 2u);
  EXPECT_TRUE(p.kept.empty() && p.in_sync() == false);
}

TEST(Checksums, DependOnTheMeaningAlone) {
  ConfigScope scope;
  scope.paths = {"/etc/a", "/etc/b"};
  ConfigManifest one{{"/etc/a", entry(1)}, {"/etc/b", entry(2)}};
  EXPECT_EQ(canonical_text(one, scope, "/etc/a"),
            canonical_text({{"/etc/a", entry(1)}}, scope, "/etc/a"));
  EXPECT_NE(canonical_text(one, scope, ""), canonical_text({{"/etc/a", entry(1)}}, scope, ""));
}

TEST(Templates, TakeEachNodesOwnValues) {
  const std::map<std::string, std::string> values{{"chassis_id", "2"}};
  EXPECT_EQ(render_template("router-id 10.0.0.{{chassis_id}}; {{ chassis_id }}", values).text,
            "router-id 10.0.0.2; 2");
  EXPECT_EQ(render_template("{{nobody}}", values).unknown, "nobody");
  EXPECT_EQ(render_template("a {{ b", values).text, "a {{ b");
}

}  // namespace
}  // namespace hotpair::agent
