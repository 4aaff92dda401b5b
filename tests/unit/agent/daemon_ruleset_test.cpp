// Two boxes, each a kernel's ruleset of its own, and what one tells the other.
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>

#include "agent/daemon/ruleset_engine.hpp"
#include "platform/linux/clock.hpp"
#include "tests/unit/platform/network_namespace.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::daemon {
namespace {

using namespace std::chrono_literals;

constexpr const char* kRuleset = R"(
table inet live {
  set blocklist { type ipv4_addr; flags timeout; }
  set seen { type ipv4_addr; flags dynamic,timeout; timeout 1h; }
  chain in { type filter hook input priority 0; policy accept; ip saddr @blocklist drop; }
}
)";

// What runs in it runs in its network: commands that a thread starts, sockets that it opens.
class Box {
 public:
  Box() {
    inside_new([&] { netns_ = sys::FileDescriptor(::open("/proc/thread-self/ns/net", O_RDONLY)); });
  }
  ~Box() {
    for (std::thread& server : servers_) server.join();
  }

  void open(Box& peer) {
    inside([&] {
      auto engine = RulesetEngine::open([&peer] { return peer.connected(); },
                                        directory_.file("state"), directory_.path(), Log());
      auto watch = sys::NftablesWatch::open();
      ASSERT_TRUE(engine.ok() && watch.ok());
      engine_ = *engine;
      watch_.emplace(std::move(*watch));
    });
    RulesetRules rules;
    rules.ruleset = true;
    rules.sets = {{"", "", "blocklist"}};
    rules.policy = policy;
    rules.devices = devices;
    engine_->set_rules(rules);
  }
  void close() {
    if (engine_) engine_->stop();
  }

  void turn(bool primary) {
    inside([&] {
      engine_->heard(watch_->read(engine_->wanted()));
      (void)engine_->turn(primary, true);
    });
  }
  bool nft(const std::string& script) {
    bool good = false;
    inside([&] { good = test::run_command("nft -f " + directory_.write("script", script)); });
    return good;
  }
  std::string listed(const std::string& what = "ruleset") {
    const std::string path = directory_.file("listed");
    inside([&] { (void)test::run_command("nft -s list " + what + " >" + path); });
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool has(const std::string& text) { return listed().find(text) != std::string::npos; }
  void inside(const std::function<void()>& body) {
    std::thread thread([&] {
      ASSERT_EQ(::setns(netns_.get(), CLONE_NEWNET), 0);
      body();
    });
    thread.join();
  }
  RulesetEngine& engine() { return *engine_; }

  agent::ReceiverChanges policy = agent::ReceiverChanges::keep;
  std::map<std::string, std::string> devices;

 private:
  static void inside_new(const std::function<void()>& body) {
    (void)test::in_network_namespace(body);
  }
  // The peer dials: a thread of this box serves it.
  Result<sys::FileDescriptor> connected() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      return fail_with("no sockets");
    servers_.emplace_back([this, end = ends[1]] {
      if (::setns(netns_.get(), CLONE_NEWNET) == 0) engine_->serve(sys::FileDescriptor(end));
    });
    return sys::FileDescriptor(ends[0]);
  }

  test::TemporaryDirectory directory_;
  sys::FileDescriptor netns_;
  std::shared_ptr<RulesetEngine> engine_;
  std::optional<sys::NftablesWatch> watch_;
  std::vector<std::thread> servers_;
};

struct RulesetPairTest : testing::Test {
  void SetUp() override {
    if (!test::in_network_namespace([] {}))
      GTEST_SKIP() << "needs the right to make a network namespace: run it as root";
    one.open(two);
    two.open(one);
    ASSERT_TRUE(one.nft(kRuleset));
    ASSERT_TRUE(until([&] { return agreed() && two.has("@blocklist"); }));
  }
  void TearDown() override {
    one.close();
    two.close();
  }

  // Both take turns until it is so, as their threads would.
  bool until(const std::function<bool()>& condition) {
    for (const Instant end = sys::now() + 20s; sys::now() < end;) {
      one.turn(one_is_primary);
      two.turn(!one_is_primary);
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  bool agreed() {
    const auto here = one.engine().state(), there = two.engine().state();
    return here.known && there.known && here.in_sync && there.in_sync && here.error.empty();
  }
  std::string elements() { return two.listed("set inet live blocklist"); }

  Box one, two;
  bool one_is_primary = true;
};

TEST_F(RulesetPairTest, rules_tables_and_removals_follow_and_what_is_alike_is_left_alone) {
  ASSERT_TRUE(
      two.nft("add element inet live seen { 10.0.0.1 }\n"
              "table inet hotpair {\n chain ours {\n }\n}\n"));
  ASSERT_TRUE(one.nft("add rule inet live in tcp dport 22 drop\ntable ip more {\n}\n"));
  EXPECT_TRUE(until([&] { return two.has("tcp dport 22 drop") && two.has("table ip more"); }));
  ASSERT_TRUE(one.nft("delete table ip more"));
  EXPECT_TRUE(until([&] { return !two.has("table ip more"); }));
  EXPECT_TRUE(two.has("10.0.0.1")) << "what packets added";
  EXPECT_TRUE(two.has("chain ours")) << "our own table";
  ASSERT_TRUE(one.nft("chain inet live in { policy drop; }"));
  EXPECT_TRUE(until([&] { return two.has("policy drop"); }));
  EXPECT_TRUE(two.has("10.0.0.1")) << "also where the table had to be made anew";
  EXPECT_TRUE(until([&] { return agreed(); }));
  EXPECT_EQ(one.engine().state().checksum, two.engine().state().checksum);
}

TEST_F(RulesetPairTest, elements_follow_with_their_times_and_are_held_to_what_was_told) {
  ASSERT_TRUE(one.nft("add element inet live blocklist { 10.0.0.1 timeout 1h, 10.0.0.2 }"));
  EXPECT_TRUE(until([&] { return elements().find("10.0.0.2") != std::string::npos; }));
  EXPECT_NE(elements().find("10.0.0.1 timeout 1h"), std::string::npos) << elements();
  ASSERT_TRUE(
      two.nft("delete element inet live blocklist { 10.0.0.2 }\n"
              "add element inet live blocklist { 10.0.0.3 }"));
  EXPECT_TRUE(until([&] {
    return elements().find("10.0.0.2") != std::string::npos &&
           elements().find("10.0.0.3") == std::string::npos;
  }));
  EXPECT_GT(two.engine().state().elements_repaired, 0u);
  ASSERT_TRUE(one.nft("flush set inet live blocklist"));
  EXPECT_TRUE(until([&] { return elements().find("10.0.0") == std::string::npos; }));
  EXPECT_TRUE(one.engine().state().sets.at("inet live blocklist").in_sync);
}

TEST_F(RulesetPairTest, a_change_in_a_large_set_costs_what_it_is) {
  std::string many;
  for (int i = 0; i < 20'000; ++i)
    many += (many.empty() ? "" : ",") + ("10.1." + std::to_string(i / 250)) + "." +
            std::to_string(i % 250);
  ASSERT_TRUE(one.nft("add element inet live blocklist { " + many + " }"));
  const auto count = [&](Box& box) {
    const auto state = box.engine().state();
    const auto found = state.sets.find("inet live blocklist");
    return found == state.sets.end() || !found->second.in_sync ? 0 : found->second.elements;
  };
  ASSERT_TRUE(until([&] { return count(one) == 20'000 && count(two) == 20'000; }));
  const auto readings = [&] {
    return one.engine().state().set_readings + two.engine().state().set_readings;
  };
  const auto before = readings();
  ASSERT_TRUE(
      one.nft("add element inet live blocklist { 10.0.0.1 }\n"
              "delete element inet live blocklist { 10.1.1.1 }"));
  EXPECT_TRUE(until([&] { return two.has("10.0.0.1") && !two.has("10.1.1.1,"); }));
  ASSERT_TRUE(two.nft("add element inet live blocklist { 10.0.0.2 }"));
  EXPECT_TRUE(until([&] { return !two.has("10.0.0.2"); })) << "held to what was told";
  ASSERT_TRUE(one.nft("add element inet live blocklist { 10.0.0.3 timeout 1s }"));
  EXPECT_TRUE(until([&] { return count(one) == 20'001 && count(two) == 20'001; }));
  EXPECT_TRUE(until([&] { return count(one) == 20'000 && count(two) == 20'000; })) << "it is over";
  EXPECT_EQ(readings(), before) << "no kernel's set was read whole";
}

TEST_F(RulesetPairTest, what_the_kernel_refuses_is_said_with_nfts_words_and_changes_nothing) {
  ASSERT_TRUE(until([&] { return agreed(); }));
  const std::string before = two.listed();
  one.inside([] { ASSERT_TRUE(test::run_command("ip link add only0 type veth peer name only1")); });
  ASSERT_TRUE(one.nft("add rule inet live in iif only0 accept"));
  EXPECT_TRUE(until([&] { return agreed(); }));
}

TEST_F(RulesetPairTest, a_change_on_the_backup_is_left_or_pushed_away_and_kept_in_a_file) {
  ASSERT_TRUE(until([&] { return agreed(); }));
  ASSERT_TRUE(two.nft("add rule inet live in tcp dport 33 accept"));
  EXPECT_TRUE(until([&] { return one.engine().state().changed_on_backup; }));
  EXPECT_TRUE(two.has("tcp dport 33"));
  one.inside([&] { EXPECT_TRUE(one.engine().push().ok()); });
  EXPECT_FALSE(two.has("tcp dport 33"));
  std::ifstream kept(two.engine().state().kept_file);
  const std::string text(std::istreambuf_iterator<char>(kept), {});
  EXPECT_NE(text.find("tcp dport 33"), std::string::npos);
}

TEST_F(RulesetPairTest, the_other_becomes_primary_and_its_ruleset_is_what_both_have) {
  ASSERT_TRUE(one.nft("add element inet live blocklist { 10.0.0.1 timeout 1h }"));
  ASSERT_TRUE(until([&] { return elements().find("10.0.0.1") != std::string::npos; }));
  one_is_primary = false;
  ASSERT_TRUE(
      two.nft("add rule inet live in tcp dport 44 drop\n"
              "delete element inet live blocklist { 10.0.0.1 }"));
  EXPECT_TRUE(until([&] { return one.has("tcp dport 44 drop") && !one.has("10.0.0.1"); }));
}

TEST_F(RulesetPairTest, a_primary_without_rules_takes_nobodys_away) {
  ASSERT_TRUE(one.nft("flush ruleset"));
  EXPECT_TRUE(until(
      [&] { return one.engine().state().error.find("no rules at all") != std::string::npos; }));
  EXPECT_TRUE(two.has("@blocklist"));
}

}  // namespace
}  // namespace hotpair::daemon
