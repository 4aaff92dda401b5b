// What only some sessions have, through the real kernel: written, read back, changed; and what
// becomes of a session when this kernel cannot have a part of it.
#include "dataplane/core/extras_record.hpp"
#include "tests/unit/dataplane/conntrack_kernel_table.hpp"

namespace hotpair::conntrack {
namespace {

using namespace test;
using dataplane::Expectation;
using dataplane::Extras;
using dataplane::SharedExtras;

// linux/netfilter/nf_conntrack_sctp.h, which does not go with netinet/in.h.
constexpr std::uint8_t kSctpEstablished = 4, kSctpShutdownSent = 5;

class ConntrackExtras : public KernelTable {
 protected:
  void SetUp() override {
    KernelTable::SetUp();
    if (IsSkipped()) return;
    // Labels exist where a rule uses them.
    ASSERT_EQ(0, std::system("nft 'table inet l { chain p { type filter hook prerouting priority 0;"
                             " ct label 9 accept; }; }'"));
  }
  void write(const Session& session, bool expect_new = true) {
    sink_->upsert(session, 600, expect_new);
    sink_->flush();
  }
  void expect_written_and_read_back(const Session& session) {
    write(session);
    EXPECT_THAT(refused_, testing::IsEmpty());
    expect_in_kernel(session);
  }
};

Session with(Session s, const Extras& extras) {
  s.state.extras = SharedExtras::of(dataplane::normalised(extras, s.key));
  return s;
}

Extras helper(const char* name) {
  Extras extras;
  extras.add(Extras::kHelper);
  extras.helper.assign(name);
  return extras;
}

Session ftp_control() {
  return with(tcp("192.0.2.1", "198.51.100.1", 40000, 21), helper("ftp"));
}

// The server opens the data connection to a port that the client named.
Expectation data_connection(std::uint16_t port) {
  Expectation e;
  e.protocol = IPPROTO_TCP;
  e.tuple = {address("198.51.100.1"), address("192.0.2.1"), 0, port};
  e.source_mask.bytes = {0xff, 0xff, 0xff, 0xff};
  e.timeout_s = 300;
  return e;
}

Session expecting(const Session& master, const std::vector<Expectation>& list) {
  Extras extras = master.state.extras.copy();
  extras.add(Extras::kExpectations);
  extras.expectations = list;
  return with(master, extras);
}

TEST_F(ConntrackExtras, LabelsAreWrittenChangedAndCleared) {
  Extras extras;
  extras.add(Extras::kLabels);
  extras.labels[0] = 1 << 3;
  extras.labels[15] = 0x80;
  Session s = with(tcp("192.0.2.1", "198.51.100.1", 40000, 443), extras);
  expect_written_and_read_back(s);
  extras.labels[0] = 1 << 4;
  s = with(s, extras);
  write(s, false);
  expect_in_kernel(s);
  extras.labels.fill(0);
  write(with(s, extras), false);
  s.state.extras = {};
  expect_in_kernel(s);
}

TEST_F(ConntrackExtras, WhereNoRuleUsesLabelsTheSessionIsKeptWithoutAndCounted) {
  ASSERT_EQ(0, std::system("nft delete table inet l"));
  Extras extras;
  extras.add(Extras::kLabels);
  extras.labels[0] = 1;
  Session s = with(tcp("192.0.2.1", "198.51.100.1", 40000, 443), extras);
  write(s);
  s.state.mark = 7;
  write(s, false);
  EXPECT_THAT(refused_, testing::IsEmpty());
  EXPECT_EQ(sink_->counters().labels_missing, 1u);
  s.state.extras = {};
  expect_in_kernel(s);
}

TEST_F(ConntrackExtras, HelpersOfTheKernelAreKept) {
  expect_written_and_read_back(ftp_control());
  expect_written_and_read_back(with(udp("192.0.2.1", "198.51.100.1", 5060, 5060), helper("sip")));
  write(ftp_control(), false);
  EXPECT_EQ(sink_->counters().updated, 1u) << "an update that names the same helper";
}

TEST_F(ConntrackExtras, AHelperThatThisKernelLacksCostsTheHelperAndNotTheSession) {
  std::vector<std::string> told;
  sink_->on_helper_missing([&](std::string_view name) { told.emplace_back(name); });
  for (const std::uint16_t port : {std::uint16_t{40000}, std::uint16_t{40001}}) {
    Session s = with(tcp("192.0.2.1", "198.51.100.1", port, 2121), helper("no-such-helper"));
    write(s);
    write(s, false);
    s.state.extras = {};
    expect_in_kernel(s);
  }
  EXPECT_THAT(refused_, testing::IsEmpty());
  EXPECT_THAT(told, testing::ElementsAre("no-such-helper"));
  EXPECT_EQ(sink_->counters().helpers_missing, 4u);
  EXPECT_EQ(sink_->counters().replaced, 0u);
}

TEST_F(ConntrackExtras, AnEntryThatHasNoHelperYetIsReplaced) {
  Session plain = ftp_control();
  plain.state.extras = {};
  write(plain);
  write(ftp_control(), false);
  expect_in_kernel(ftp_control());
}

TEST_F(ConntrackExtras, WhatAHelperExpectsIsToldDumpedAndTakenAway) {
  ASSERT_TRUE(source_->set_pickup({.enabled = true, .exclude = {}}).ok());
  ASSERT_TRUE(source_->subscribe().ok());
  const Session master = ftp_control();
  const Expectation first = data_connection(50001);
  write(expecting(master, {first}));
  EXPECT_EQ(sink_->counters().expectations_refused, 0u);
  Recorder seen;
  source_->poll_events(seen, 1000);
  ASSERT_EQ(seen.expected.size(), 1u);
  EXPECT_EQ(seen.expected[0].first, master.key);
  EXPECT_TRUE(same_target(seen.expected[0].second, first));
  const auto dumped = find(master.key);
  ASSERT_TRUE(dumped && dumped->state.extras.has(Extras::kExpectations));
  ASSERT_EQ(dumped->state.extras->expectations.size(), 1u);
  EXPECT_TRUE(same_target(dumped->state.extras->expectations[0], first));
  EXPECT_NEAR(dumped->state.extras->expectations[0].timeout_s, 600, 2) << "it is held";

  sink_->hand_back(expecting(master, {first}), 300);
  sink_->flush();
  EXPECT_NEAR(find(master.key)->state.extras->expectations[0].timeout_s, 300, 2);

  const Expectation second = data_connection(50002);
  write(expecting(master, {second}), false);
  source_->poll_events(seen, 1000);
  ASSERT_EQ(seen.forgotten.size(), 1u);
  EXPECT_TRUE(same_target(seen.forgotten[0].second, first));
  write(master, false);
  EXPECT_FALSE(find(master.key)->state.extras.has(Extras::kExpectations));
}

TEST_F(ConntrackExtras, ABatchOfSessionsThatAllExpectMuchIsWrittenWhole) {
  // The kernel lets FTP expect one; SIP, by class, two.
  for (std::uint16_t i = 0; i < 200; ++i) {
    const auto port = static_cast<std::uint16_t>(20000 + i);
    const Session master = with(udp("192.0.2.1", "198.51.100.1", port, 5060), helper("sip"));
    Expectation rtp = data_connection(static_cast<std::uint16_t>(30000 + 2 * i)), rtcp = rtp;
    rtp.protocol = rtcp.protocol = IPPROTO_UDP;
    rtp.policy_class = rtcp.policy_class = 1;
    ++rtcp.tuple.dst_port;
    sink_->upsert(expecting(master, {rtp, rtcp}), 600, true);
  }
  sink_->flush();
  EXPECT_EQ(sink_->counters().expectations_refused, 0u);
  std::size_t expected = 0;
  for (const Session& s : dump())
    if (s.state.extras.has(Extras::kExpectations)) expected += s.state.extras->expectations.size();
  EXPECT_EQ(expected, 400u);
}

TEST_F(ConntrackExtras, SequenceAdjustmentIsKeptInBothDirections) {
  Extras extras;
  extras.add(Extras::kSequence);
  extras.sequence = {{{1000, -3, -5}, {2000, 0, 7}}};
  expect_written_and_read_back(with(tcp("192.0.2.1", "198.51.100.1", 40000, 21), extras));
  extras.sequence[0].after = -9;
  const Session later = with(tcp("192.0.2.1", "198.51.100.1", 40000, 21), extras);
  write(later, false);
  expect_in_kernel(later);
}

TEST_F(ConntrackExtras, SynproxysNumbersAreKept) {
  Extras extras;
  extras.add(Extras::kSynproxy);
  extras.synproxy = {0x01020304, 0x11121314, 0xfffffff0};
  expect_written_and_read_back(with(tcp("192.0.2.1", "198.51.100.1", 40000, 443), extras));
}

TEST_F(ConntrackExtras, SctpKeepsItsStateAndBothTags) {
  Session s = udp("192.0.2.1", "198.51.100.1", 40000, 9899);
  s.key.protocol = IPPROTO_SCTP;
  s.state.status = kSeenReply | kAssured;
  s.state.tcp_state = kSctpEstablished;
  Extras extras;
  extras.add(Extras::kSctp);
  extras.sctp_tags = {0xdeadbeef, 0x00c0ffee};
  s = with(s, extras);
  expect_written_and_read_back(s);
  s.state.tcp_state = kSctpShutdownSent;
  write(s, false);
  expect_in_kernel(s);
  Session translated = source_translated(s, "192.0.2.254", 61000);
  translated.key.original.src = address("10.0.0.1");
  expect_written_and_read_back(translated);
}

TEST_F(ConntrackExtras, UdpliteAndGreAreKeptAndGreOutlivesItsUpdates) {
  Session lite = udp("192.0.2.1", "198.51.100.1", 40000, 53);
  lite.key.protocol = IPPROTO_UDPLITE;
  expect_written_and_read_back(lite);
  Session gre = udp("192.0.2.1", "198.51.100.1", 0, 0);
  gre.key.protocol = IPPROTO_GRE;
  expect_written_and_read_back(gre);
  gre.state.status |= kAssured;
  write(gre, false);
  expect_in_kernel(gre);
  EXPECT_GT(find(gre.key)->state.timeout_s, 3000u);
  sink_->remove(gre.key);
  sink_->flush();
  EXPECT_FALSE(find(gre.key).has_value());
}

TEST_F(ConntrackExtras, AZoneOfOneDirectionIsOneOfThatDirection) {
  for (const bool original : {true, false}) {
    Session s = tcp("192.0.2.1", "198.51.100.1", std::uint16_t{40000}, 443);
    s.key.zone = original ? 10 : 0;
    Extras extras;
    extras.add(Extras::kReplyZone);
    extras.reply_zone = original ? 0 : 10;
    s = with(s, extras);
    expect_written_and_read_back(s);
    s.state.mark = 3;
    write(s, false);
    expect_in_kernel(s);
    write(s);  // whatever holds one of its tuples makes way: itself
    expect_in_kernel(s);
    EXPECT_EQ(dump().size(), 1u);
    sink_->remove(s.key);
    sink_->flush();
    EXPECT_THAT(dump(), testing::IsEmpty());
  }
}

TEST_F(ConntrackExtras, ARelatedSessionKnowsItsMasterAndIsKeptWithoutOne) {
  Session data = tcp("198.51.100.1", "192.0.2.1", 20, 50001);
  Extras extras;
  extras.add(Extras::kMaster);
  extras.master_protocol = IPPROTO_TCP;
  extras.master = ftp_control().key.original;
  data = with(data, extras);
  write(ftp_control());
  expect_written_and_read_back(data);
  data.state.tcp_state = TCP_CONNTRACK_FIN_WAIT;
  write(data, false);
  expect_in_kernel(data);
  EXPECT_EQ(sink_->counters().replaced, 0u);

  extras.master.src_port = 40999;  // no such session
  Session orphan = with(tcp("198.51.100.1", "192.0.2.1", 20, 50002), extras);
  write(orphan);
  write(orphan, false);
  EXPECT_THAT(refused_, testing::IsEmpty());
  orphan.state.extras = {};
  expect_in_kernel(orphan);
}

TEST_F(ConntrackExtras, OfSessionsThatCtnetlinkMadeNothingIsToldThatIsNotThere) {
  const Session s = tcp("192.0.2.1", "198.51.100.1", 40000, 443);
  write(s);
  EXPECT_FALSE(find(s.key)->state.extras) << "the kernel tells such entries' synproxy as zeros";
}

}  // namespace
}  // namespace hotpair::conntrack
