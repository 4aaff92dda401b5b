// What session_pickup leaves out and changes while the pair runs, and what an event leaves untold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dataplane/replication_world.hpp"

namespace hotpair::dataplane::testing {
namespace {

PickupOptions everything() {
  PickupOptions options;
  options.enabled = options.icmp = true;
  return options;
}

TEST(PickupFilter, NamesTheFirstReasonNotToCarryASession) {
  Rng rng(1);
  Session s = made_session(made_key(1), rng);
  s.key.ipv6 = false;
  s.key.protocol = kProtocolTcp;
  set_address(s.key.original.src, false, 0xc0000207);  // 192.0.2.7
  s.state.status = 0;
  PickupOptions options;
  EXPECT_EQ(judge(options, s), Pickup::disabled);
  options.enabled = true;
  EXPECT_EQ(judge(options, s), Pickup::carry);
  options.only_assured = true;
  EXPECT_EQ(judge(options, s), Pickup::not_assured);
  options.exclude = {{.address = {192, 0, 2, 0}, .length = 29, .ipv6 = false}};
  EXPECT_EQ(judge(options, s), Pickup::excluded);
  options.exclude[0].address[3] = 8;
  const Address routed = s.key.original.dst;
  set_address(s.key.original.dst, false, 0xa9fec81d);  // 169.254.200.29
  EXPECT_EQ(judge(options, s), Pickup::link_local);
  s.key.original.dst = routed;
  EXPECT_EQ(judge(options, s), Pickup::not_assured);
  set_address(s.state.reply.src, false, 0xa9fec81d);  // translated to the other box
  EXPECT_EQ(judge(options, s), Pickup::link_local);
  s.state.reply = reversed(s.key.original);
  EXPECT_EQ(judge(options, s), Pickup::not_assured);
  options.udp = false;
  s.key.protocol = kProtocolUdp;
  EXPECT_EQ(judge(options, s), Pickup::udp_off);
  s.key.protocol = kProtocolIcmp;
  EXPECT_EQ(judge(options, s), Pickup::icmp_off);
  options.icmp = true;
  EXPECT_EQ(judge(options, s), Pickup::not_assured);
  s.key.protocol = kProtocolIcmpv6;  // over IPv4: nothing that the kernel tracks
  EXPECT_EQ(judge(options, s), Pickup::protocol);
}

TEST(PickupFilter, ADelayedSessionIsSentOnlyWhenItHasLivedThatLong) {
  World world(3);
  ASSERT_TRUE(world.run_until_in_sync(2s));
  PickupOptions options;
  options.enabled = true;
  options.delay = 500ms;
  Engine& primary = *world.primary().engine;
  primary.set_pickup(options);
  Rng rng(1);
  primary.upsert(made_session(made_key(1), rng), world.now());
  primary.upsert(made_session(made_key(2), rng), world.now());
  world.run(400ms);
  primary.destroy(made_key(2), world.now());
  EXPECT_EQ(world.backup().engine->table().size(), 0u);
  world.run(200ms);
  EXPECT_EQ(world.backup().engine->table().size(), 1u);
  EXPECT_EQ(primary.counters().never_sent, 1u);
}

class PickupReload : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.changes_per_s = 2000;
    world_.run(1s);
    world_.changes_per_s = 0;
    ASSERT_TRUE(world_.run_until_in_sync(5s));
  }
  // Reads the options anew, as a reload does, and lets the pair come to rest.
  void reload(const PickupOptions& options) {
    world_.primary().engine->set_pickup(options);
    ASSERT_TRUE(world_.primary().engine->dump_wanted());
    world_.start_dump();
    while (world_.dump_running()) world_.run(10ms);
    world_.run(3s);
  }
  template <typename What>
  std::size_t at_the_backup(const What& what) {
    std::size_t count = 0;
    for (const auto& [key, state] : world_.backup().kernel) count += what(Session{key, state});
    return count;
  }
  template <typename What>
  std::size_t at_the_primary(const What& what) {
    std::size_t count = 0;
    for (const auto& [key, state] : world_.primary().kernel) count += what(Session{key, state});
    return count;
  }

  World world_{11};
};

bool is_udp(const Session& s) {
  return s.key.protocol == kProtocolUdp;
}
bool is_sctp(const Session& s) {
  return s.key.protocol == kProtocolSctp;
}
bool is_assured(const Session& s) {
  return (s.state.status & kStatusAssured) != 0;
}
bool any(const Session&) {
  return true;
}

TEST_F(PickupReload, WhatIsNoLongerWantedLeavesTheBackupAndComesBackWhenItIs) {
  ASSERT_GT(at_the_backup(is_udp), 10u);
  PickupOptions options = everything();
  options.udp = false;
  reload(options);
  EXPECT_EQ(at_the_backup(is_udp), 0u);
  EXPECT_GT(at_the_backup(any), 10u);
  EXPECT_GT(world_.primary().engine->counters().not_carried_udp, 10u);
  reload(everything());
  EXPECT_EQ(at_the_backup(is_udp), at_the_primary(is_udp));
}

TEST_F(PickupReload, SctpHasASwitchOfItsOwn) {
  ASSERT_GT(at_the_backup(is_sctp), 2u);
  PickupOptions options = everything();
  options.sctp = false;
  reload(options);
  EXPECT_EQ(at_the_backup(is_sctp), 0u);
  EXPECT_GT(world_.primary().engine->counters().not_carried_sctp, 2u);
}

TEST_F(PickupReload, FromAssuredTakesBackWhatIsNotAssured) {
  PickupOptions options = everything();
  options.only_assured = true;
  reload(options);
  EXPECT_EQ(at_the_backup(any), at_the_backup(is_assured));
  EXPECT_EQ(at_the_backup(any), at_the_primary(is_assured));
}

TEST_F(PickupReload, SwitchedOffNothingStays) {
  PickupOptions options = everything();
  options.enabled = false;
  reload(options);
  EXPECT_EQ(at_the_backup(any), 0u);
}

class Told : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.run_until_in_sync(2s));
    Rng rng(5);
    key_ = made_key(1);
    key_.protocol = kProtocolTcp;
    key_.zone = 0;
    session_ = made_session(key_, rng);
    Extras extras;
    extras.parts = Extras::kLabels | Extras::kHelper;
    extras.labels[0] = 4;
    extras.helper.assign("ftp");
    session_.state.extras = SharedExtras::of(extras);
    primary().upsert(session_, world_.now());
  }
  Engine& primary() { return *world_.primary().engine; }
  Session known() { return primary().find(key_).value(); }

  World world_{12};
  SessionKey key_;
  Session session_;
};

TEST_F(Told, AnEventThatNamesLessLeavesTheRest) {
  Session event{key_, {}};
  event.state.reply = session_.state.reply;
  event.state.status = session_.state.status;
  event.state.timeout_s = session_.state.timeout_s;
  event.state.mark = 99;
  primary().upsert(event, world_.now());
  Session expected = session_;
  expected.state.mark = 99;
  EXPECT_EQ(known(), normalised(expected));

  Extras labels;
  labels.add(Extras::kLabels);
  labels.labels[0] = 8;
  event.state.extras = SharedExtras::of(labels);
  primary().upsert(event, world_.now());
  EXPECT_EQ(known().state.extras->helper.text(), "ftp");
  EXPECT_EQ(known().state.extras->labels[0], 8);
}

TEST_F(Told, LabelsThatADumpNoLongerHasAreClearedAndTheHelperIsGone) {
  Session entry = session_;
  entry.state.extras = {};
  primary().begin_dump();
  primary().dump_entry(entry, world_.now());
  primary().end_dump(true);
  ASSERT_TRUE(known().state.extras);
  EXPECT_EQ(known().state.extras->parts, Extras::kLabels);
  EXPECT_EQ(known().state.extras->labels[0], 0);
}

TEST_F(Told, WhatIsExpectedGoesWithTheSessionToTheBackup) {
  Rng rng(6);
  const Expectation first = made_expectation(key_, rng);
  Expectation again = first;
  again.timeout_s = 12;
  primary().expectation(key_, first, false, world_.now());
  world_.run(100ms);
  ASSERT_TRUE(world_.backup().kernel.at(key_).extras.has(Extras::kExpectations));
  EXPECT_THAT(world_.backup().kernel.at(key_).extras->expectations, ::testing::ElementsAre(first));

  Session entry = known();
  Extras extras = entry.state.extras.copy();
  extras.expectations = {again};
  entry.state.extras = SharedExtras::of(extras);
  primary().begin_dump();
  primary().dump_entry(entry, world_.now());
  primary().end_dump(true);
  EXPECT_THAT(known().state.extras->expectations, ::testing::ElementsAre(first))
      << "a dump tells what is left of the time";

  primary().expectation(key_, again, true, world_.now());
  world_.run(100ms);
  EXPECT_FALSE(world_.backup().kernel.at(key_).extras.has(Extras::kExpectations));
}

TEST_F(Told, WhatIsExpectedBeforeTheSessionIsToldIsTheSessionsAllTheSame) {
  Rng rng(8);
  Session session = made_session(made_key(2), rng);
  session.key.zone = 0;
  session.state.extras = {};
  const Expectation kept = made_expectation(session.key, rng);
  Expectation dropped = kept;
  ++dropped.tuple.dst_port;
  primary().expectation(session.key, kept, false, world_.now());
  primary().expectation(session.key, dropped, false, world_.now());
  primary().expectation(session.key, dropped, true, world_.now());
  primary().upsert(session, world_.now());
  const Session known = primary().find(session.key).value();
  ASSERT_TRUE(known.state.extras.has(Extras::kExpectations));
  EXPECT_THAT(known.state.extras->expectations, ::testing::ElementsAre(kept));
}

TEST_F(Told, ExpectationsAreLeftOutWhereTheOptionsOrTheTableSaySo) {
  Rng rng(7);
  primary().expectation(made_key(77), made_expectation(made_key(77), rng), false, world_.now());
  world_.run(2s);
  primary().expectation(made_key(78), made_expectation(made_key(78), rng), false, world_.now());
  EXPECT_EQ(primary().counters().expectations_unknown, 1u) << "its session never came";
  for (std::size_t i = 0; i <= kMaxExpectations; ++i) {
    Expectation e = made_expectation(key_, rng);
    e.tuple.dst_port = static_cast<std::uint16_t>(1000 + i);
    primary().expectation(key_, e, false, world_.now());
  }
  EXPECT_EQ(known().state.extras->expectations.size(), kMaxExpectations);
  EXPECT_EQ(primary().counters().expectations_too_many, 1u);
  PickupOptions options = everything();
  options.expectations = false;
  primary().set_pickup(options);
  primary().expectation(key_, made_expectation(key_, rng), false, world_.now());
  EXPECT_EQ(primary().counters().not_carried_expectations, 1u);
  primary().begin_dump();
  primary().dump_entry(known(), world_.now());
  primary().end_dump(true);
  EXPECT_FALSE(known().state.extras.has(Extras::kExpectations));
}

}  // namespace
}  // namespace hotpair::dataplane::testing
