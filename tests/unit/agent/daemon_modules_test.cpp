// Worker modules: the counter, check commands as real processes, and their way to the election.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/daemon/check_command.hpp"
#include "agent/daemon/modules.hpp"
#include "agent/daemon/unit_watch.hpp"
#include "agent/daemon/worker_modules.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

TEST(RiseFallTest, NothingIsDecidedBeforeEnoughAnswersInARow) {
  RiseFall counter(2, 3);
  EXPECT_EQ(counter.count(false), ModuleState::unknown);
  EXPECT_EQ(counter.count(false), ModuleState::unknown);
  EXPECT_EQ(counter.count(true), ModuleState::unknown);
  EXPECT_EQ(counter.count(true), ModuleState::good);
}

TEST(RiseFallTest, AFailureHasToLastAndSoHasTheRecovery) {
  RiseFall counter(2, 3);
  counter.count(true);
  counter.count(true);
  EXPECT_EQ(counter.count(false), ModuleState::good);
  EXPECT_EQ(counter.count(false), ModuleState::good);
  EXPECT_EQ(counter.count(false), ModuleState::failed);
  EXPECT_EQ(counter.count(true), ModuleState::failed);
  EXPECT_EQ(counter.count(false), ModuleState::failed);
  EXPECT_EQ(counter.count(true), ModuleState::failed);
  EXPECT_EQ(counter.count(true), ModuleState::good);
}

TEST(RiseFallTest, OneAnswerIsEnoughWhereOneIsAskedFor) {
  RiseFall counter(1, 1);
  EXPECT_EQ(counter.count(false), ModuleState::failed);
  EXPECT_EQ(counter.count(true), ModuleState::good);
}

TEST(FirstLineTest, OnlyWhatCanBePrintedOfTheFirstLineIsKept) {
  EXPECT_EQ(first_line("engine 3 is down\nmore\n"), "engine 3 is down");
  EXPECT_EQ(first_line("\n\r\n  late\r\n"), "late");
  EXPECT_EQ(first_line("\x1b[31mred\xff"), "?[31mred?");
  EXPECT_EQ(first_line(std::string(5000, 'x')), std::string(kMaxOutputLine, 'x'));
  EXPECT_EQ(first_line(""), "");
}

config::Module check(int slot, const std::string& script) {
  config::Module module;
  module.slot = slot;
  module.kind = config::Module::Kind::worker;
  module.command = {"sh", "-c", script};
  module.interval = 20ms;
  module.timeout = 20ms;
  module.rise = module.fall = 1;
  return module;
}

config::Module unit(int slot, const std::string& name) {
  config::Module module;
  module.slot = slot;
  module.kind = config::Module::Kind::worker;
  module.unit = name;
  return module;
}

class WorkerModulesTest : public testing::Test {
 protected:
  WorkerModulesTest()
      : loop_(std::move(*sys::EventLoop::create())),
        folder_(std::filesystem::temp_directory_path() /
                ("hotpair-modules-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(folder_);
    start("unix:path=" + (folder_ / "no-bus").string());
  }
  ~WorkerModulesTest() override {
    modules_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start(const std::string& bus) {
    modules_ = std::make_unique<WorkerModules>(
        *loop_, [this](int slot, const ModuleWord& word) { words_[slot] = word; }, bus);
  }
  bool until(const std::function<bool()>& done) {
    const Instant patience = sys::now() + 20s;
    while (!done() && sys::now() < patience) loop_->run_once(100ms);
    return done();
  }
  ModuleState state(int slot) { return words_[slot].state; }
  std::string file(const char* name) { return (folder_ / name).string(); }

  std::unique_ptr<sys::EventLoop> loop_;
  std::filesystem::path folder_;
  std::map<int, ModuleWord> words_;
  std::unique_ptr<WorkerModules> modules_;
};

TEST_F(WorkerModulesTest, ACheckThatBeginsToFailIsNamedWithWhatItSaid) {
  auto module = check(4, "test ! -e " + file("broken") + " || { echo engine 3 is down; exit 7; }");
  module.timeout = 10s;  // of a busy machine, too
  ASSERT_TRUE(modules_->configure({module}));
  ASSERT_TRUE(until([&] { return state(4) == ModuleState::good; }));
  std::ofstream(file("broken")) << "yes";
  ASSERT_TRUE(until([&] { return state(4) == ModuleState::failed; }));
  EXPECT_EQ(words_[4].reason, "slot 4 (sh): exit status 7: engine 3 is down");
  EXPECT_EQ(words_[4].last_output, "engine 3 is down");
}

TEST_F(WorkerModulesTest, ACheckThatHangsFailsAndItsWholeGroupIsKilled) {
  const std::string script = "sleep 300 & echo $! >> " + file("pids") + "; wait";
  auto module = check(5, script);
  module.timeout = 300ms;
  module.interval = 10s;
  ASSERT_TRUE(modules_->configure({module}));
  ASSERT_TRUE(until([&] { return state(5) == ModuleState::failed; }));
  EXPECT_EQ(words_[5].reason, "slot 5 (sh): ran longer than 300 ms");
  std::ifstream pids(file("pids"));
  pid_t left_behind = 0;
  ASSERT_TRUE(pids >> left_behind);
  EXPECT_TRUE(until([&] {
    std::ifstream stat("/proc/" + std::to_string(left_behind) + "/stat");
    std::string line;
    return !std::getline(stat, line) || line.find(") Z") != std::string::npos;
  }));
}

TEST_F(WorkerModulesTest, AProgramThatIsNotThereFails) {
  auto module = check(6, "");
  module.command = {"/nowhere/check"};
  ASSERT_TRUE(modules_->configure({module}));
  ASSERT_TRUE(until([&] { return state(6) == ModuleState::failed; }));
  EXPECT_NE(words_[6].reason.find("slot 6 (check): cannot start /nowhere/check"), std::string::npos)
      << words_[6].reason;
}

TEST_F(WorkerModulesTest, NeverTwoOfTheSameRunAtOnce) {
  // Longer than its interval: a second one would find the folder of the first.
  auto module = check(7, "mkdir " + file("lock") + " && sleep 0.05 && rmdir " + file("lock"));
  module.interval = 1ms;
  module.timeout = 10s;
  int words = 0;
  modules_ = std::make_unique<WorkerModules>(*loop_, [&](int slot, const ModuleWord& word) {
    words_[slot] = word;
    ++words;
  });
  ASSERT_TRUE(modules_->configure({module, check(8, "echo $PPID $$")}));
  ASSERT_TRUE(until([&] { return words > 10; }));
  EXPECT_EQ(state(7), ModuleState::good) << words_[7].reason;
}

TEST_F(WorkerModulesTest, AModuleThatWasRemovedSaysNoMore) {
  ASSERT_TRUE(modules_->configure({check(4, "echo $$")}));
  ASSERT_TRUE(until([&] { return words_.count(4) != 0; }));
  ASSERT_TRUE(modules_->configure({check(9, "echo $$")}));
  words_.clear();
  ASSERT_TRUE(until([&] { return words_.count(9) != 0; }));
  EXPECT_EQ(words_.count(4), 0u);
}

TEST_F(WorkerModulesTest, WithoutASystemBusAUnitIsUnknownAndSaysWhy) {
  ASSERT_TRUE(modules_->configure({unit(3, "nftables.service")}));
  ASSERT_TRUE(until([&] { return words_.count(3) != 0; }));
  EXPECT_EQ(state(3), ModuleState::unknown);
  EXPECT_NE(words_[3].reason.find("slot 3 (nftables.service): not watched"), std::string::npos)
      << words_[3].reason;
}

TEST(UnitStateTest, OnlyAnActiveUnitIsGood) {
  const auto module = unit(3, "ips.service");
  const auto word = [&](const char* load, const char* active, const char* sub, bool job = false,
                        ModuleState before = ModuleState::good) {
    return word_of_unit(module, {load, active, sub, job}, before);
  };
  EXPECT_EQ(word("loaded", "active", "running").state, ModuleState::good);
  EXPECT_EQ(word("loaded", "failed", "failed").state, ModuleState::failed);
  EXPECT_EQ(word("loaded", "failed", "failed").reason, "slot 3 (ips.service): failed (failed)");
  EXPECT_EQ(word("loaded", "inactive", "dead").state, ModuleState::failed);
  EXPECT_EQ(word("not-found", "inactive", "dead").reason, "slot 3 (ips.service): not-found");
}

TEST(UnitStateTest, AUnitOnItsWayKeepsTheLastWord) {
  const auto module = unit(3, "ips.service");
  for (const auto before : {ModuleState::unknown, ModuleState::good, ModuleState::failed}) {
    for (const char* active : {"activating", "reloading", "deactivating"})
      EXPECT_EQ(word_of_unit(module, {"loaded", active, "start", true}, before).state, before);
    // The moment between the two halves of `systemctl restart`.
    EXPECT_EQ(word_of_unit(module, {"loaded", "inactive", "dead", true}, before).state, before);
    // A crash loop is no way to anywhere.
    EXPECT_EQ(word_of_unit(module, {"loaded", "activating", "auto-restart", false}, before).state,
              ModuleState::failed);
  }
}

TEST(ModulesTest, AWorkerModuleIsUnknownUntilItsWatcherSpeaksAndKeepsItsWordOverAReload) {
  config::Config config;
  config.cluster.modules = {check(4, "true"), unit(5, "ips.service")};
  Modules modules([](const auto&) { return true; }, [] { return Instant(1s); });
  modules.configure(config);
  EXPECT_EQ(modules.rows()[0].word.state, ModuleState::unknown);
  EXPECT_EQ(modules.state().failed, 0);
  modules.note(4, {ModuleState::failed, "slot 4 (ips): exit status 1", "gone"});
  modules.note(99, {ModuleState::failed, "nobody's", ""});
  EXPECT_EQ(modules.state().failed, 1);
  EXPECT_EQ(modules.state().first_failed.view(), "slot 4 (ips): exit status 1");
  config.cluster.modules.pop_back();
  modules.configure(config);
  EXPECT_EQ(modules.state().failed, 1);
  config.cluster.modules[0].fall = 9;  // watched in another way: the earlier word is void
  modules.configure(config);
  EXPECT_EQ(modules.state().failed, 0);
}

}  // namespace
}  // namespace hotpair::daemon
