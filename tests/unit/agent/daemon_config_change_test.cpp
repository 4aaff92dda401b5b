// One change set on a box: whole or not at all, whatever fails.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/daemon/config_change.hpp"
#include "agent/daemon/config_files.hpp"
#include "agent/daemon/config_wire.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::daemon {
namespace {

using agent::ConfigEntry;
using agent::ConfigOperation;

struct ConfigChanges : testing::Test {
  void SetUp() override {
    ASSERT_EQ(mkdir(at("conf").c_str(), 0755), 0);
    write("conf/a", "one");
    rules.scope.paths = {at("conf")};
    rules.config_dir = at("etc");
    rules.sync.timeout = 1s;
  }
  std::string at(const std::string& name) const { return directory.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(at(name)) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(at(name));
    std::stringstream text;
    text << file.rdbuf();
    return file ? text.str() : "(none)";
  }
  agent::ConfigManifest present() { return files.scan(rules.scope).manifest; }

  // Replaces or makes conf/<name>, staged.
  ConfigOperation replace(const std::string& name, const std::string& text) {
    const auto now = present();
    ConfigEntry entry;
    entry.mode = 0640;
    entry.user = geteuid();
    entry.group = getegid();
    entry.size = text.size();
    entry.hash = hash_of(text);
    ConfigOperation operation{at("conf/" + name), entry, std::nullopt, false};
    if (const auto found = now.find(operation.path); found != now.end())
      operation.found = found->second;
    EXPECT_TRUE(change.append(entry.hash, text));
    return operation;
  }
  Status carry_out(const std::vector<ConfigOperation>& operations) {
    return change.carry_out(operations, present(), rules);
  }

  test::TemporaryDirectory directory;
  ConfigRules rules;
  ConfigFiles files;
  ConfigChange change{directory.path() + "/state", Log()};
};

TEST_F(ConfigChanges, ReplaceMakeAndRemove) {
  ASSERT_TRUE(change.begin());
  write("conf/gone", "x");
  std::vector<ConfigOperation> operations{replace("a", "two"), replace("d/new", "three")};
  operations.push_back({at("conf/gone"), std::nullopt, present().at(at("conf/gone")), true});
  const auto done = carry_out(operations);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(read("conf/a"), "two");
  EXPECT_EQ(read("conf/d/new"), "three");
  EXPECT_EQ(read("conf/gone"), "(none)");
  struct stat facts {};
  ASSERT_EQ(stat(at("conf/a").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777u, 0640u);
  EXPECT_EQ(std::system(("ls " + at("conf") + "/gone.hotpair-conflict-* >/dev/null").c_str()), 0);
  EXPECT_EQ(read("state/journal.json"), "(none)");
}

TEST_F(ConfigChanges, TakeNamesAsLongAsAFileSystemDoes) {
  const std::string one(255, 'n'), other = std::string(254, 'n') + "m";
  write("conf/" + one, "x");
  ASSERT_TRUE(change.begin());
  auto replaced = replace(one, "new");
  replaced.keep_beside = true;
  const auto done = carry_out({replaced, replace(other, "two")});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(read("conf/" + one), "new");
  EXPECT_EQ(read("conf/" + other), "two");
  EXPECT_EQ(std::system(("grep -qx x " + at("conf") + "/n*.hotpair-conflict-*").c_str()), 0);
}

TEST_F(ConfigChanges, MakeADirectoryOfAFileAndAFileOfADirectoryAndUndoBoth) {
  ASSERT_EQ(mkdir(at("conf/d").c_str(), 0755), 0);
  write("conf/d/in", "inside");
  const auto before = present();
  ConfigEntry directory_entry = before.at(at("conf/d"));
  for (const char* command : {"false", "true"}) {
    ASSERT_TRUE(change.begin());
    rules.sync.apply[at("conf")] = {command};
    auto file = replace("d", "a file now");
    auto inside = replace("a/in", "in a");
    inside.found.reset();
    const ConfigOperation directory_now{at("conf/a"), directory_entry, before.at(at("conf/a")),
                                        false};
    const ConfigOperation gone{at("conf/d/in"), std::nullopt, before.at(at("conf/d/in")), false};
    const auto done = carry_out({gone, directory_now, inside, file});
    EXPECT_EQ(done.ok(), command == std::string("true")) << done.error().message;
    EXPECT_EQ(read("conf/d/in"), done ? "(none)" : "inside");
    EXPECT_EQ(read("conf/a/in"), done ? "in a" : "(none)");
  }
  EXPECT_EQ(read("conf/d"), "a file now");
}

TEST_F(ConfigChanges, ANameThatIsNoTextIsNamedAndDoesNotTravel) {
  write("conf/bad\xff", "x");
  write("conf/gut\xc3\xa9", "x");
  const auto scan = files.scan(rules.scope);
  EXPECT_EQ(scan.unseen, std::vector<std::string>{at("conf/bad\xff")});
  EXPECT_TRUE(scan.manifest.contains(at("conf/gut\xc3\xa9")));
}

TEST_F(ConfigChanges, ChangeNothingWhenTheCheckRefuses) {
  ASSERT_TRUE(change.begin());
  rules.sync.check[at("conf")] = {"sh", "-c", "grep -q good $0/a", "{}"};
  auto done = carry_out({replace("a", "bad")});
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("the check of"), std::string::npos) << done.error().message;
  EXPECT_EQ(read("conf/a"), "one");
  ASSERT_TRUE(change.begin());
  EXPECT_TRUE(carry_out({replace("a", "good")}));
}

TEST_F(ConfigChanges, PutEverythingBackWhenApplyingFailsOrHangs) {
  for (const char* command : {"exit 3", "sleep 60"}) {
    ASSERT_TRUE(change.begin());
    rules.sync.apply[at("conf")] = {"sh", "-c", command};
    const auto done = carry_out({replace("a", "two"), replace("b", "new")});
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("everything was put back"), std::string::npos);
    EXPECT_EQ(read("conf/a"), "one");
    EXPECT_EQ(read("conf/b"), "(none)");
  }
}

TEST_F(ConfigChanges, BelieveThePeerInNothing) {
  ASSERT_TRUE(change.begin());
  auto outside = replace("a", "two");
  outside.path = at("passwd");
  outside.found.reset();
  EXPECT_FALSE(carry_out({outside})) << "not among the paths";
  auto damaged = replace("a", "two");
  damaged.entry->hash[0] ^= 1;
  EXPECT_FALSE(carry_out({damaged})) << "no such content";
  const auto late = replace("a", "two");
  write("conf/a", "changed meanwhile");
  EXPECT_FALSE(carry_out({late}));
  ASSERT_EQ(symlink("/etc", at("conf/link").c_str()), 0);
  EXPECT_FALSE(carry_out({replace("link/hotpair-never", "x")})) << "through a link";
  write("victim", "precious");
  ASSERT_EQ(symlink(directory.path().c_str(), at("conf/up").c_str()), 0);
  EXPECT_FALSE(carry_out({{at("conf/up/victim"), std::nullopt, std::nullopt, false}}));
  EXPECT_EQ(read("victim"), "precious");
  EXPECT_EQ(read("conf/a"), "changed meanwhile");
}

TEST_F(ConfigChanges, UndoWhatACrashLeftHalfDone) {
  ASSERT_TRUE(change.begin());
  rules.sync.apply[at("conf")] = {"sh", "-c", "cp -r " + at("state") + " " + at("crashed")};
  ASSERT_TRUE(carry_out({replace("a", "two"), replace("b", "new")}));
  ConfigChange after_the_crash(at("crashed"), Log());
  // The journal names the copies of the first run's directory; they are gone with the success.
  ASSERT_EQ(std::system(("cp -r " + at("crashed/undo") + " " + at("state/undo")).c_str()), 0);
  after_the_crash.recover();
  EXPECT_EQ(read("conf/a"), "one");
  EXPECT_EQ(read("conf/b"), "(none)");
}

TEST_F(ConfigChanges, RefuseAClusterFileThatThisNodeCannotRead) {
  ASSERT_EQ(mkdir(at("etc").c_str(), 0755), 0);
  write("etc/node.yaml", "chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n");
  rules.scope.paths = {at("etc/cluster.yaml")};
  ASSERT_TRUE(change.begin());
  auto operation = replace("a", "hartbeat: {}\n");
  operation.path = at("etc/cluster.yaml");
  operation.found.reset();
  const auto done = carry_out({operation});
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("hartbeat"), std::string::npos) << done.error().message;
}

TEST_F(ConfigChanges, MakeANodesOwnFileOfATemplate) {
  config::Config config;
  config.node.chassis_id = 2;
  config.cluster.password_file = "/etc/hotpair/password";
  config.cluster.config_sync.paths = {at("conf/own")};
  config.cluster.config_sync.substitute = {at("conf/own")};
  rules = make_config_rules(config, at("etc"));
  ASSERT_TRUE(change.begin());
  ASSERT_TRUE(carry_out({replace("own.template", "id {{chassis_id}}")}));
  EXPECT_EQ(read("conf/own"), "id 2");
  ASSERT_TRUE(change.begin());
  EXPECT_FALSE(carry_out({replace("own.template", "id {{nothing}}")}));
  EXPECT_EQ(read("conf/own"), "id 2");
}

TEST_F(ConfigChanges, ASpecialFileIsNamedAndNotTakenForARemoval) {
  ASSERT_EQ(mkfifo(at("conf/pipe").c_str(), 0600), 0);
  const auto scan = files.scan(rules.scope);
  EXPECT_EQ(scan.unseen, std::vector<std::string>{at("conf/pipe")});
  ASSERT_EQ(scan.problems.size(), 1u);
  EXPECT_NE(scan.problems[0].find("neither a file"), std::string::npos);
}

TEST(ConfigWire, ReadsBackWhatItWroteAndRefusesTheRest) {
  ConfigEntry entry;
  entry.mode = 0644;
  entry.size = 3;
  entry.hash = hash_of("abc");
  const agent::ConfigManifest manifest{{"/a", entry}, {"/b", entry}};
  EXPECT_EQ(manifest_from(to_json(manifest)), manifest);
  const std::vector<ConfigOperation> operations{{"/a", entry, std::nullopt, true}};
  EXPECT_EQ(operations_from(to_json(operations)), operations);
  for (const char* text : {"{}", "[1]", "[[\"/a\",[9,0,0,0,0,\"00\"]]]",
                           "[[\"/a\",[1,-1,0,0,0,\"x\"]]]", "[[\"/a\",null,null,1]]"}) {
    EXPECT_FALSE(manifest_from(nlohmann::json::parse(text))) << text;
    EXPECT_FALSE(operations_from(nlohmann::json::parse(text))) << text;
  }
}

}  // namespace
}  // namespace hotpair::daemon
