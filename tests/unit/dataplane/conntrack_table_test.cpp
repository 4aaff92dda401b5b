// The kernel's table as sink and source, in one namespace: what is written is what is read back.
#include "tests/unit/dataplane/conntrack_kernel_table.hpp"

namespace hotpair::conntrack {
namespace {

using namespace test;

using ConntrackTable = test::KernelTable;

TEST_F(ConntrackTable, WhatIsWrittenIsReadBack) {
  std::vector<Session> sessions = {
      tcp("192.0.2.1", "198.51.100.1", 40000, 443),
      tcp("2001:db8::1", "2001:db8::2", 40000, 443),
      udp("192.0.2.1", "198.51.100.1", 5353, 53),
      source_translated(tcp("10.0.0.1", "198.51.100.1", 40001, 443), "192.0.2.254", 61000),
      source_translated(udp("10.0.0.1", "198.51.100.1", 40002, 53), "192.0.2.254", 61001),
      destination_translated(tcp("203.0.113.9", "192.0.2.254", 40003, 443), "10.0.0.80", 8443),
      source_translated(
          destination_translated(tcp("203.0.113.9", "192.0.2.254", 40004, 443), "10.0.0.80", 8443),
          "10.0.0.254", 50000),
      source_translated(tcp("fd00::1", "2001:db8::2", 40005, 443), "2001:db8::ffff", 61002),
      ping(77),
  };
  Session zoned =
      tcp("192.0.2.1", "198.51.100.1", 40000, 443);  // the first one's tuple, another zone
  zoned.key.zone = 10;
  zoned.state.mark = 0xcafe;
  sessions.push_back(zoned);
  Session closing = tcp("192.0.2.1", "198.51.100.1", 40009, 443);
  closing.state.tcp_state = TCP_CONNTRACK_FIN_WAIT;
  closing.state.tcp_flags_original |= IP_CT_TCP_FLAG_CLOSE_INIT;
  sessions.push_back(closing);
  Session half_open = udp("192.0.2.1", "198.51.100.1", 5354, 53);
  half_open.state.status = 0;
  sessions.push_back(half_open);

  for (const Session& s : sessions) sink_->upsert(s, 600, true);
  sink_->flush();

  EXPECT_THAT(refused_, testing::IsEmpty());
  EXPECT_EQ(sink_->counters().created, sessions.size());
  EXPECT_EQ(dump().size(), sessions.size());
  for (const Session& s : sessions) expect_in_kernel(s);
}

TEST_F(ConntrackTable, AnUpdateChangesStateTimeoutAndMarkAndKeepsTheTranslation) {
  Session s = source_translated(tcp("10.0.0.1", "198.51.100.1", 40001, 443), "192.0.2.254", 61000);
  sink_->upsert(s, 600, true);
  sink_->flush();
  s.state.tcp_state = TCP_CONNTRACK_CLOSE_WAIT;
  s.state.mark = 5;
  sink_->upsert(s, 90, false);
  sink_->flush();

  expect_in_kernel(s);
  EXPECT_NEAR(find(s.key)->state.timeout_s, 90, 2);
  EXPECT_EQ(sink_->counters().updated, 1u);
}

TEST_F(ConntrackTable, AnUpdateOfAnEntryThatIsGoneMakesIt) {
  const Session s = tcp("192.0.2.1", "198.51.100.1", 40000, 443);
  sink_->upsert(s, 600, false);
  sink_->flush();
  expect_in_kernel(s);
}

TEST_F(ConntrackTable, AnEntryThatHoldsTheOriginalTupleIsReplaced) {
  const Session old = tcp("10.0.0.1", "198.51.100.1", 40001, 443);
  const Session now = source_translated(old, "192.0.2.254", 61000);
  for (const bool expect_new : {true, false}) {
    sink_->upsert(old, 600, true);
    sink_->flush();
    sink_->upsert(now, 600, expect_new);
    sink_->flush();
    expect_in_kernel(now);
    EXPECT_EQ(dump().size(), 1u);
  }
}

TEST_F(ConntrackTable, AnEntryThatHoldsTheReplyTupleIsReplaced) {
  sink_->upsert(source_translated(udp("10.0.0.1", "198.51.100.1", 40001, 53), "192.0.2.254", 61000),
                600, true);
  sink_->flush();
  const Session now =
      source_translated(udp("10.0.0.2", "198.51.100.1", 40002, 53), "192.0.2.254", 61000);
  sink_->upsert(now, 600, true);
  sink_->flush();
  expect_in_kernel(now);
  EXPECT_EQ(dump().size(), 1u);
  EXPECT_EQ(sink_->counters().replaced, 1u);
}

TEST_F(ConntrackTable, AnotherConnectionOnTheSameTupleMayBeYoungerThanTheEntry) {
  Session s = tcp("192.0.2.1", "198.51.100.1", 40000, 443);
  sink_->upsert(s, 600, true);
  sink_->flush();
  s.state.status = 0;  // ASSURED cannot be taken away from an entry
  s.state.tcp_state = TCP_CONNTRACK_SYN_SENT;
  sink_->upsert(s, 600, false);
  sink_->flush();
  expect_in_kernel(s);
}

TEST_F(ConntrackTable, OneBatchMayNameASessionTwice) {
  const Session s = tcp("192.0.2.1", "198.51.100.1", 40000, 443);
  sink_->upsert(s, 600, true);
  sink_->flush();
  sink_->upsert(s, 600, true);  // is answered EEXIST and would be repeated after the removal
  sink_->remove(s.key);
  sink_->flush();
  EXPECT_THAT(dump(), testing::IsEmpty());
}

TEST_F(ConntrackTable, RemovingWhatIsGoneIsNoFailureAndLeavesOthersAlone) {
  const Session kept = tcp("192.0.2.1", "198.51.100.1", 40000, 443);
  sink_->upsert(kept, 600, true);
  sink_->remove(tcp("192.0.2.1", "198.51.100.1", 40001, 443).key);
  sink_->flush();
  EXPECT_EQ(dump().size(), 1u);
  EXPECT_EQ(sink_->counters().failed, 0u);
}

TEST_F(ConntrackTable, ARefreshSetsTheTimeoutOnlyAndNamesWhatIsMissing) {
  const Session there = tcp("192.0.2.1", "198.51.100.1", 40000, 443);
  const Session gone = tcp("192.0.2.1", "198.51.100.1", 40001, 443);
  std::vector<SessionKey> missing;
  sink_->on_missing([&](const SessionKey& key) { missing.push_back(key); });
  sink_->upsert(there, 600, true);
  sink_->refresh(there.key, 7200);
  sink_->refresh(gone.key, 7200);
  sink_->flush();
  EXPECT_NEAR(find(there.key)->state.timeout_s, 7200, 2);
  EXPECT_THAT(missing, testing::ElementsAre(gone.key));
}

TEST_F(ConntrackTable, EventsTellOfChangesAndRemovalsInOrder) {
  ASSERT_TRUE(source_->subscribe().ok());
  Session s = tcp("192.0.2.1", "198.51.100.1", 40000, 443);
  sink_->upsert(s, 600, true);
  sink_->flush();
  s.state.tcp_state = TCP_CONNTRACK_TIME_WAIT;
  sink_->upsert(s, 60, false);
  sink_->flush();
  sink_->remove(s.key);
  sink_->flush();

  Recorder seen;
  EXPECT_FALSE(source_->poll_events(seen, 1000));
  ASSERT_GE(seen.events.size(), 2u);
  EXPECT_EQ(without_timeout(seen.events.front()).state.tcp_state, TCP_CONNTRACK_ESTABLISHED);
  EXPECT_EQ(seen.events.back().state.tcp_state, TCP_CONNTRACK_TIME_WAIT);
  EXPECT_THAT(seen.destroyed, testing::ElementsAre(s.key));

  source_->unsubscribe();
  sink_->upsert(s, 60, true);
  sink_->flush();
  Recorder later;
  source_->poll_events(later, 1000);
  EXPECT_THAT(later.events, testing::IsEmpty());
}

TEST_F(ConntrackTable, ADumpRecordDoesNotOvertakeALaterEvent) {
  ASSERT_TRUE(source_->subscribe().ok());
  const Session s = tcp("192.0.2.1", "198.51.100.1", 40000, 443);
  sink_->upsert(s, 600, true);
  sink_->flush();
  Recorder seen;
  source_->poll_events(seen, 1000);
  ASSERT_TRUE(source_->start_dump().ok());  // the kernel writes the first records at once
  sink_->remove(s.key);
  sink_->flush();
  source_->poll_events(seen, 1000);
  ASSERT_EQ(seen.destroyed.size(), 1u);
  while (source_->dumping()) source_->poll_dump(seen, 1000);
  EXPECT_THAT(seen.dumped, testing::IsEmpty()) << "the session would have come back to life";
}

TEST_F(ConntrackTable, AnOverrunIsReportedAndReadingGoesOn) {
  auto small = Source::open({.receive_buffer_bytes = 4096});
  ASSERT_TRUE(small.ok());
  ASSERT_TRUE((*small)->subscribe().ok());
  struct Overruns : Recorder {
    int overruns = 0;
    void on_overrun() override { ++overruns; }
  } seen;
  for (std::uint16_t port = 1; port <= 1000; ++port)
    sink_->upsert(udp("192.0.2.1", "198.51.100.1", port, 53), 600, true);
  sink_->flush();
  (*small)->poll_events(seen, 10000);
  EXPECT_GE(seen.overruns, 1);
  EXPECT_EQ((*small)->counters().overruns, static_cast<std::uint64_t>(seen.overruns));
  sink_->remove(udp("192.0.2.1", "198.51.100.1", 5, 53).key);
  sink_->flush();
  (*small)->poll_events(seen, 10000);
  EXPECT_EQ(seen.destroyed.size(), 1u);
}

TEST_F(ConntrackTable, TenThousandEntriesAreWrittenAndReadWhole) {
  for (int i = 0; i < 10000; ++i)
    sink_->upsert(source_translated(
                      tcp("10.0.0.1", "198.51.100.1", static_cast<std::uint16_t>(10000 + i), 443),
                      "192.0.2.254", static_cast<std::uint16_t>(30000 + i)),
                  600, true);
  sink_->flush();
  EXPECT_EQ(sink_->counters().created, 10000u);
  EXPECT_EQ(dump().size(), 10000u);
}

}  // namespace
}  // namespace hotpair::conntrack
