// Frames under way: whose records are remembered for how long, and where they are written.
#include "dataplane/core/flight.hpp"

#include <set>

#include <gtest/gtest.h>

namespace hotpair::dataplane::testing {
namespace {

class FlightTest : public ::testing::Test {
 protected:
  // A frame with one record of that session leaves. Where the record stands.
  const FlightRecord* fly(std::uint32_t id) {
    FlightFrame& frame = flight_.prepare();
    const FlightRecord& record = frame.add({.id = id, .bucket = 0, .kind = RecordKind::update}, 0);
    flight_.launch(now_);
    return &record;
  }
  void acknowledge_all() {
    Ack ack{.credit = kWindowFrames, .delay_us = 0, .sessions = 0, .received = {}};
    ack.received.newest = flight_.next_sequence() - 1;
    ack.received.words = kMaxAckWords;
    ack.received.bits.fill(~std::uint64_t{0});
    now_ += 100us;
    EXPECT_TRUE(flight_.on_ack(
        ack, true, now_, [](const FlightFrame&) {}, [](const FlightFrame&) {}));
  }
  // Of the record of that frame; none: it is not remembered.
  std::optional<std::uint32_t> remembered(std::uint64_t sequence) {
    const FlightFrame* frame = flight_.remembered(sequence);
    if (frame == nullptr || frame->records == nullptr) return std::nullopt;
    return frame->records[0].id;
  }

  Instant now_{1s};
  Flight flight_;
};

TEST_F(FlightTest, WhatASettledFrameSaidIsWrittenOverByTheNext) {
  std::set<const FlightRecord*> places;
  for (std::uint32_t id = 0; id < 3 * kWindowFrames; ++id) {
    places.insert(fly(id));
    acknowledge_all();
  }
  EXPECT_EQ(places.size(), 1u);
  EXPECT_EQ(remembered(1), std::nullopt);
}

TEST_F(FlightTest, WhatIsUnderWayIsKeptUntilItIsLetGo) {
  fly(7);
  flight_.keep();
  fly(8);
  acknowledge_all();
  EXPECT_EQ(remembered(1), 7u);
  EXPECT_EQ(remembered(2), std::nullopt);
  fly(9);
  EXPECT_EQ(remembered(1), 7u);
  flight_.let_go();
  EXPECT_EQ(remembered(1), std::nullopt);
}

TEST_F(FlightTest, WhatIsKeptForGoodNeverTakesAllTheRoom) {
  while (flight_.may_send()) fly(1);
  flight_.keep();
  acknowledge_all();
  for (std::uint32_t id = 0; id < 3 * kWindowFrames; ++id) {
    ASSERT_TRUE(flight_.may_send());
    fly(id);
    ASSERT_EQ(remembered(flight_.next_sequence() - 1), id);
    acknowledge_all();
  }
}

TEST_F(FlightTest, AFrameThatWasPreparedAndDroppedTakesNoRoom) {
  for (std::uint32_t i = 0; i < 3 * kWindowFrames; ++i) (void)flight_.prepare();
  fly(5);
  EXPECT_EQ(remembered(1), 5u);
  flight_.forget();
  EXPECT_TRUE(flight_.empty());
  fly(6);
  EXPECT_EQ(remembered(2), 6u);
}

}  // namespace
}  // namespace hotpair::dataplane::testing
