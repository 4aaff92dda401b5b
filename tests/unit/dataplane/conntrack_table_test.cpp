// The kernel's table as sink and source, in one namespace: what is written is what is read back.
#include <optional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>

#include "dataplane/conntrack/sink.hpp"
#include "dataplane/conntrack/source.hpp"
#include "tests/unit/dataplane/conntrack_namespace.hpp"

namespace hotpair::conntrack {
namespace {

using dataplane::Address;
using dataplane::Session;
using dataplane::SessionKey;
using dataplane::Tuple;

constexpr std::uint32_t kSeenReply = dataplane::kStatusSeenReply;
constexpr std::uint32_t kAssured = dataplane::kStatusAssured;

Address address(const char* text) {
  Address out;
  const int family = std::string(text).find(':') == std::string::npos ? AF_INET : AF_INET6;
  EXPECT_EQ(1, inet_pton(family, text, out.bytes.data()));
  return out;
}

Session tcp(const char* src, const char* dst, std::uint16_t src_port, std::uint16_t dst_port) {
  Session s;
  s.key.original = {address(src), address(dst), src_port, dst_port};
  s.key.protocol = IPPROTO_TCP;
  s.key.ipv6 = std::string(src).find(':') != std::string::npos;
  s.state.reply = reversed(s.key.original);
  s.state.status = kSeenReply | kAssured;
  s.state.tcp_state = TCP_CONNTRACK_ESTABLISHED;
  s.state.tcp_flags_original = s.state.tcp_flags_reply =
      IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM;
  s.state.tcp_wscale_original = 7;
  s.state.tcp_wscale_reply = 9;
  return s;
}

Session udp(const char* src, const char* dst, std::uint16_t src_port, std::uint16_t dst_port) {
  Session s = tcp(src, dst, src_port, dst_port);
  s.key.protocol = IPPROTO_UDP;
  const auto reply = s.state.reply;
  s.state = {};
  s.state.reply = reply;
  s.state.status = kSeenReply;
  return s;
}

Session source_translated(Session s, const char* to, std::uint16_t port) {
  s.state.reply.dst = address(to);
  s.state.reply.dst_port = port;
  s.state.status |= dataplane::kStatusSrcNat;
  return s;
}

Session destination_translated(Session s, const char* to, std::uint16_t port) {
  s.state.reply.src = address(to);
  s.state.reply.src_port = port;
  s.state.status |= dataplane::kStatusDstNat;
  return s;
}

Session ping(std::uint16_t id) {
  Session s = udp("192.0.2.7", "198.51.100.7", id, 0x0800);
  s.key.protocol = IPPROTO_ICMP;
  s.state.reply = {s.key.original.dst, s.key.original.src, id, 0x0000};
  return s;
}

// Keeps what the source says; a timeout is remembered apart, since the kernel counts it down.
struct Recorder : SourceVisitor {
  std::vector<Session> events, dumped;
  std::vector<SessionKey> destroyed;
  std::vector<std::pair<SessionKey, dataplane::Expectation>> expected, forgotten;
  std::optional<bool> done;
  void on_upsert(const Session& s) override { events.push_back(s); }
  void on_destroy(const SessionKey& k) override { destroyed.push_back(k); }
  void on_expectation(const SessionKey& master, const dataplane::Expectation& expectation,
                      bool gone) override {
    (gone ? forgotten : expected).emplace_back(master, expectation);
  }
  void on_dump_entry(const Session& s) override { dumped.push_back(s); }
  void on_dump_done(bool complete) override { done = complete; }
  void on_overrun() override {}
};

Session without_timeout(Session s) {
  s.state.timeout_s = 0;
  return s;
}

class ConntrackTable : public testing::Test {
 protected:
  void SetUp() override {
    if (!space_) GTEST_SKIP() << test::kNoRights;
    inside_.emplace(space_);
    // A ruleset makes the namespace track, and a nat chain loads what translates.
    ASSERT_EQ(0,
              std::system("nft 'table inet t { chain n { type nat hook postrouting priority 100; };"
                          " chain f { type filter hook forward priority 0;"
                          " ct state invalid drop; }; }'"));
    auto sink = Sink::open();
    ASSERT_TRUE(sink.ok()) << sink.error().message;
    sink_ = std::move(sink).value();
    auto source = Source::open({});
    ASSERT_TRUE(source.ok()) << source.error().message;
    source_ = std::move(source).value();
    sink_->on_refused([this](const SessionKey&, int error) { refused_.push_back(error); });
  }

  std::vector<Session> dump() {
    Recorder seen;
    EXPECT_TRUE(source_->start_dump().ok());
    while (source_->dumping()) source_->poll_dump(seen, 1000);
    EXPECT_EQ(seen.done, true);
    return seen.dumped;
  }
  std::optional<Session> find(const SessionKey& key) {
    for (const Session& s : dump())
      if (s.key == key) return s;
    return std::nullopt;
  }
  void expect_in_kernel(const Session& expected) {
    const auto found = find(expected.key);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(without_timeout(*found), without_timeout(expected));
  }

  test::Namespace space_;
  std::optional<test::Inside> inside_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<Source> source_;
  std::vector<int> refused_;
};

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
