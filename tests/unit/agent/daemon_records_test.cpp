// What the agent keeps and shows: state, history, mismatches, log lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/daemon/agent_state.hpp"
#include "agent/daemon/cipher.hpp"
#include "agent/daemon/ethernet_frame.hpp"
#include "agent/daemon/mismatch_table.hpp"
#include "agent/daemon/reporter.hpp"
#include "agent/daemon/status_json.hpp"
#include "platform/base/event_catalog.hpp"

namespace hotpair::daemon {
namespace {

using agent::Rejection;
using testing::HasSubstr;

TEST(AgentStateTest, ReadsWhatItWrote) {
  const agent::PersistedState state{{18446744073709551615ULL}, agent::Forced::backup};
  EXPECT_EQ(*parse_state(state_text(state)), state);
}

TEST(AgentStateTest, RefusesDamagedTextInsteadOfGuessingAnEpoch) {
  for (const char* text :
       {"", "[", "{}", R"({"epoch":-1,"forced":"none"})", R"({"epoch":1.5,"forced":"none"})",
        R"({"epoch":3,"forced":"maybe"})", R"({"epoch":"3","forced":"none"})"})
    EXPECT_FALSE(parse_state(text)) << text;
}

agent::ReportRoleChange change(std::uint64_t epoch) {
  agent::ReportRoleChange c;
  c.from = agent::Role::backup;
  c.to = agent::Role::primary;
  c.epoch = {epoch};
  c.reason = "peer silent for 41 ms";
  c.kind = agent::ReportRoleChange::Kind::failover;
  return c;
}

agent::ReportTransaction transaction() {
  agent::ReportTransaction t;
  t.total = 1500us;
  t.steps.push_back({"claim", 1500us, true, {}});
  return t;
}

TEST(HistoryTest, KeepsTheLastTwoHundredNewestLast) {
  History history;
  for (std::uint64_t i = 0; i < 250; ++i) history.add(change(i), "t");
  const auto changes = history.to_json()["changes"];
  EXPECT_EQ(changes.size(), kHistoryLimit);
  EXPECT_EQ(changes.back()["epoch"], 249);
  EXPECT_EQ(history.to_json(1)["changes"].front()["epoch"], 249);
}

TEST(HistoryTest, ReadsWhatItWroteAndSkipsWhatItCannotRead) {
  History history;
  history.add(change(7), "t");
  history.add(transaction());
  const auto text = history.to_json().dump();
  EXPECT_EQ(History::from_text(text).to_json(), history.to_json());
  EXPECT_EQ(History::from_text("{\"changes\":[1,null,{\"steps\":3}]}").size(), 1u);
  EXPECT_EQ(History::from_text("\xff{").size(), 0u);
}

class ReporterTest : public testing::Test {
 protected:
  std::vector<LogRecord> lines_;
  int saved_ = 0;
  Reporter reporter_{Log([this](const LogRecord& r) { lines_.push_back(r); }), History(),
                     [this] { ++saved_; }};
};

TEST_F(ReporterTest, ARoleChangeIsOneLineWithReasonAndStepTimes) {
  reporter_.report(change(7), "t");
  EXPECT_TRUE(lines_.empty());
  reporter_.report(transaction());
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0].event, "role-change");
  EXPECT_EQ(lines_[0].message,
            "primary (was backup) at epoch 7: peer silent for 41 ms; 1.50 ms: claim 1.50 ms");
  EXPECT_EQ(saved_, 1);
}

TEST_F(ReporterTest, ATransactionReportedFirstBelongsToTheChangeThatFollows) {
  reporter_.report(transaction());
  reporter_.report(change(7), "t");
  EXPECT_EQ(lines_.size(), 1u);
  EXPECT_EQ(reporter_.history().to_json()["changes"][0]["total_ms"], 1.5);
}

TEST_F(ReporterTest, AChangeWithoutATransactionIsToldWhenTheTurnIsOver) {
  reporter_.report(change(7), "t");
  reporter_.settle();
  EXPECT_EQ(lines_.size(), 1u);
}

MismatchTable::Sighting sighting(Rejection reason, Duration at) {
  return {reason, 0, "ha0", "group 8, ours is 7", Instant(at)};
}

TEST(MismatchTableTest, AFloodIsOneEventInAHundredMillisecondsAndOneLineAMinute) {
  MismatchTable table;
  int told = 0, logged = 0;
  for (int i = 0; i < 2000; ++i) {  // 20 s of heartbeats
    const auto verdict = table.note(sighting(Rejection::wrong_group, i * 10ms), "t");
    told += verdict.tell_node ? 1 : 0;
    logged += verdict.log ? 1 : 0;
  }
  EXPECT_EQ(told, 200);
  EXPECT_EQ(logged, 1);
  const auto later = table.note(sighting(Rejection::wrong_group, 70s), "t");
  EXPECT_TRUE(later.log);
  EXPECT_EQ(later.since_last_log, 2000u);
  EXPECT_EQ(table.rows().front().count, 2001u);
}

TEST(MismatchTableTest, TheFirstFramesOfAHandshakeAreNoMismatch) {
  MismatchTable table;
  EXPECT_TRUE(table.note(sighting(Rejection::not_echoed, 1ms), "t").tell_node);
  EXPECT_TRUE(table.rows().empty());
}

TEST(MismatchTableTest, EveryMismatchHasAdviceAndAnId) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Rejection::count_); ++i) {
    const auto reason = static_cast<Rejection>(i);
    EXPECT_TRUE(!needs_an_operator(reason) || !advice_for(reason).empty())
        << agent::to_string(reason);
    EXPECT_EQ(needs_an_operator(reason),
              find_event(event_of_mismatch(agent::to_string(reason))) != nullptr)
        << agent::to_string(reason);
  }
}

TEST(EthernetHeaderTest, IsAddressedToTheGroupAndTaggedWithTheHighestPriority) {
  std::array<std::uint8_t, kEthernetHeaderSize> bytes{};
  write_ethernet_header({heartbeat_destination(0x0107), {2, 0, 0, 0, 0, 1}, 999, 0x9890}, bytes);
  EXPECT_THAT(bytes, testing::ElementsAre(0x03, 0x48, 0x50, 0x00, 0x01, 0x07, 2, 0, 0, 0, 0, 1,
                                          0x81, 0x00, 0xe3, 0xe7, 0x98, 0x90));
}

TEST(CipherTest, TwoNodesWithOnePasswordUnderstandEachOtherAndNobodyElse) {
  const auto make = [](const char* password) {
    return std::move(PasswordCipher::create({password, std::nullopt})).value();
  };
  const auto a = make("one"), b = make("one"), stranger = make("two");
  const agent::Salt s1 = a->random_salt(), s2 = b->random_salt();
  const auto key = [&](PasswordCipher& c) {
    return c.derive(0, s1, s2, agent::ChassisId::one, "test");
  };
  const std::array<std::uint8_t, 3> header{1, 2, 3}, body{4, 5, 6};
  std::array<std::uint8_t, 3 + agent::kTagSize> sealed{};
  std::array<std::uint8_t, 3> out{};
  a->seal(key(*a), {}, header, body, sealed);
  EXPECT_TRUE(b->open(key(*b), {}, header, sealed, out));
  EXPECT_EQ(out, body);
  EXPECT_FALSE(stranger->open(key(*stranger), {}, header, sealed, out));
  EXPECT_NE(a->derive(0, s1, s2, agent::ChassisId::two, "test"), key(*a));
  EXPECT_FALSE(a->adopt(*b));
  EXPECT_TRUE(a->adopt(*stranger));
}

TEST(IsoTimeTest, IsUtcWithMilliseconds) {
  EXPECT_EQ(iso_time(1'000), "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(iso_time(1'767'225'600'123), "2026-01-01T00:00:00.123Z");
}

}  // namespace
}  // namespace hotpair::daemon
