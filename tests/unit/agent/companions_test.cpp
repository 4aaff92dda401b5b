// Companions are told what changed, once, and the first that knows a command answers it.
#include "agent/daemon/companions.hpp"

#include <gtest/gtest.h>

namespace hotpair::daemon {
namespace {

class Told final : public Companion {
 public:
  Told(std::string command, std::vector<PairView>& views)
      : command_(std::move(command)), views_(views) {}
  void configure(const config::Config&, const NodePlan&) override {}
  void follow(const PairView& pair) override { views_.push_back(pair); }
  void add_status(nlohmann::json& status) const override { status[command_] = true; }
  std::vector<std::string> warnings() const override { return {command_ + " is unwell"}; }
  bool answer(const std::string& command, const nlohmann::json&,
              const Answered& answered) override {
    if (command != command_) return false;
    answered({{"by", command_}});
    return true;
  }

 private:
  std::string command_;
  std::vector<PairView>& views_;
};

struct CompanionsTest : testing::Test {
  Companions made() {
    std::vector<std::unique_ptr<Companion>> all;
    all.push_back(std::make_unique<Told>("routes", views));
    all.push_back(std::make_unique<Told>("config", views));
    return Companions(std::move(all));
  }
  std::vector<PairView> views;
};

TEST_F(CompanionsTest, AreToldOfThePairOnlyWhenItChanged) {
  Companions companions = made();
  companions.follow({});
  companions.follow({});
  EXPECT_EQ(views.size(), 2u);  // one each
  companions.follow({.role = agent::Role::primary, .epoch = 3});
  EXPECT_EQ(views.size(), 4u);
  EXPECT_TRUE(views.back().is_primary());
}

TEST_F(CompanionsTest, ATakeoverUnderWayIsNotYetAPrimary) {
  EXPECT_FALSE((PairView{.role = agent::Role::primary, .in_transaction = true}.is_primary()));
}

TEST_F(CompanionsTest, TheOneThatKnowsACommandAnswersIt) {
  Companions companions = made();
  nlohmann::json said;
  EXPECT_TRUE(companions.answer("config", {}, [&](const auto& reply) { said = reply; }));
  EXPECT_EQ(said["by"], "config");
  EXPECT_FALSE(companions.answer("unheard-of", {}, [](const auto&) { FAIL(); }));
}

TEST_F(CompanionsTest, AddToStatusAndWarnings) {
  const Companions companions = made();
  nlohmann::json status;
  companions.add_status(status);
  EXPECT_TRUE(status.contains("routes") && status.contains("config"));
  std::vector<std::string> warnings;
  companions.add_warnings(warnings);
  EXPECT_EQ(warnings, (std::vector<std::string>{"routes is unwell", "config is unwell"}));
}

}  // namespace
}  // namespace hotpair::daemon
