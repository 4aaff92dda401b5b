// What a connection goes through while it closes is soon over, and of no use to the backup.
#include <gtest/gtest.h>

#include "dataplane/core/engine.hpp"
#include "tests/unit/dataplane/replication_world.hpp"

namespace hotpair::dataplane::testing {
namespace {

class ClosingConnection : public ::testing::Test {
 protected:
  enum : std::uint8_t { kEstablished = 3, kFinWait, kCloseWait, kLastAck, kTimeWait };

  ClosingConnection() {
    EXPECT_TRUE(world_.run_until_in_sync(2s));
    session_.key.ipv6 = false;
    session_.key.protocol = kProtocolTcp;
    set_address(session_.key.original.src, false, 0xc0000201);
    set_address(session_.key.original.dst, false, 0xc6336401);
    session_.state.reply = reversed(session_.key.original);
    comes_to(kEstablished);
    world_.run(100ms);
  }
  void comes_to(std::uint8_t state) {
    session_.state.tcp_state = state;
    world_.primary().kernel[session_.key] = session_.state;
    primary().upsert(session_, world_.now());
  }
  Engine& primary() { return *world_.primary().engine; }
  Engine& backup() { return *world_.backup().engine; }
  std::uint8_t state_at_the_backup() {
    return backup().find(session_.key).value_or(Session{}).state.tcp_state;
  }

  World world_{1};
  Session session_;
};

TEST_F(ClosingConnection, IsToldOnceItIsClosed) {
  for (const std::uint8_t state : {kFinWait, kCloseWait, kLastAck}) {
    comes_to(state);
    world_.run(10ms);
    EXPECT_EQ(state_at_the_backup(), kEstablished);
  }
  comes_to(kTimeWait);
  world_.run(2ms);
  EXPECT_EQ(state_at_the_backup(), kTimeWait);
  world_.run(200ms);
  EXPECT_EQ(primary().counters().updates_sent, 1u);
}

TEST_F(ClosingConnection, IsToldWhenItStaysHalfClosedAndIsNoMemoryErrorMeanwhile) {
  comes_to(kFinWait);
  world_.run(45ms);
  EXPECT_EQ(state_at_the_backup(), kEstablished);
  world_.run(15ms);
  EXPECT_EQ(state_at_the_backup(), kFinWait);
  comes_to(kLastAck);
  world_.run(2s);
  EXPECT_EQ(primary().counters().updates_sent, 2u);
  EXPECT_EQ(primary().counters().scrub_damaged, 0u);
}

TEST_F(ClosingConnection, IsNotToldOfWhenItEndsMeanwhile) {
  comes_to(kFinWait);
  world_.primary().kernel.erase(session_.key);
  primary().destroy(session_.key, world_.now());
  world_.run(2ms);
  EXPECT_EQ(backup().table().size(), 0u);
  world_.run(200ms);
  EXPECT_EQ(primary().counters().updates_sent, 0u);
  EXPECT_EQ(world_.difference(), "");
}

TEST_F(ClosingConnection, IsToldBeforeARoleIsGivenUp) {
  comes_to(kFinWait);
  EXPECT_FALSE(primary().drained(world_.now(), world_.now()));
  primary().begin_drain(world_.now());
  world_.run(2ms);
  EXPECT_TRUE(primary().drained(world_.now() - 2ms, world_.now()));
  EXPECT_EQ(state_at_the_backup(), kFinWait);
}

}  // namespace
}  // namespace hotpair::dataplane::testing
