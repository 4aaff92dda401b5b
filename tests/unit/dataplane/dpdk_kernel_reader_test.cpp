// When the primary's reader asks its kernel for the whole table.
#include <gtest/gtest.h>

#include "dataplane/dpdk/kernel_reader.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::dpdk {
namespace {

using conntrack::SourceVisitor;

// A kernel with nothing in its table. Its dumps last until they are let end.
class QuietKernel final : public conntrack::Source {
 public:
  int event_fd() const override { return -1; }
  int receive_buffer_bytes() const override { return 0; }
  Status set_pickup(const dataplane::PickupOptions&) override { return Ok{}; }
  Status subscribe() override { return Ok{}; }
  void unsubscribe() override {}
  Status start_dump() override {
    ++dumps;
    dumping_ = true;
    return Ok{};
  }
  void stop_dump() override { dumping_ = false; }
  bool dumping() const override { return dumping_; }
  bool poll_events(SourceVisitor& visitor, int) override {
    if (std::exchange(lose_events, false)) visitor.on_overrun();
    return false;
  }
  bool caught_up() const override { return true; }
  bool poll_dump(SourceVisitor& visitor, int) override {
    for (const Duration until = sys::cpu_time() + slice; sys::cpu_time() < until;) continue;
    if (!end_dump) return false;
    dumping_ = false;
    visitor.on_dump_done(true);
    return false;
  }
  const conntrack::SourceCounters& counters() const override { return counters_; }

  int dumps = 0;
  bool lose_events = false, end_dump = true;
  Duration slice{};  // CPU time that one poll of a dump takes

 private:
  bool dumping_ = false;
  conntrack::SourceCounters counters_;
};

class NoKernel final : public dataplane::SessionSink {
 public:
  void on_upsert(const dataplane::SessionView&, bool) override {}
  void on_remove(const dataplane::SessionKey&) override {}
  void on_merge(const dataplane::Session&) override {}
};

class KernelReaderTest : public ::testing::Test {
 protected:
  KernelReaderTest() {
    engine.set_role(dataplane::Role::primary, 1, now);
    EXPECT_TRUE(reader.subscribe(now, false).ok());
  }
  // Listed at the beginning, and once more that long after a takeover: ten seconds before not yet.
  void expect_listed_again_after(Duration rest) {
    pass(1s);
    reader.unsubscribe();
    EXPECT_TRUE(reader.subscribe(now, reader.compared()).ok());
    pass(rest - 10s);
    EXPECT_EQ(kernel.dumps, 1);
    pass(20s);
    EXPECT_EQ(kernel.dumps, 2);
  }
  void pass(Duration time) {
    for (const Instant until = now + time; now < until; now += 100ms) (void)reader.poll(now);
  }

  Instant now{1s};
  QuietKernel kernel;
  NoKernel written;
  Counters counters;
  dataplane::Engine engine{
      {.max_sessions = 64, .pickup = {.enabled = true, .exclude = {}}}, written, now};
  KernelReader reader{kernel, engine, counters, Log{}};
};

TEST_F(KernelReaderTest, TheTableIsAskedForAtTheBeginningAndNotAgainSoon) {
  pass(60s);
  EXPECT_EQ(kernel.dumps, 1);
}

TEST_F(KernelReaderTest, LostEventsAreMadeUpForByADump) {
  pass(5s);
  kernel.lose_events = true;
  pass(5s);
  EXPECT_EQ(kernel.dumps, 2);
}

TEST_F(KernelReaderTest, AfterATakeoverATableThatIsKnownIsListedAMinuteLater) {
  expect_listed_again_after(60s);
}

TEST_F(KernelReaderTest, AfterATakeoverAListingThatHoldsTheCpuUpWaitsForLonger) {
  kernel.slice = 12ms;
  expect_listed_again_after(600s);
}

TEST_F(KernelReaderTest, AListingForWhichThePeerWouldTakeTheRoleIsMadeOnceADay) {
  kernel.slice = 32ms;
  expect_listed_again_after(86400s);
  pass(86400s - 10s);
  EXPECT_EQ(kernel.dumps, 2);
  pass(20s);
  EXPECT_EQ(kernel.dumps, 3);
}

TEST_F(KernelReaderTest, EventsLostWhileADumpRunsAreMadeUpForByAnother) {
  kernel.end_dump = false;
  pass(5s);
  kernel.lose_events = true;
  pass(5s);
  kernel.end_dump = true;
  pass(5s);
  EXPECT_EQ(kernel.dumps, 2) << "it may have passed the place of what was lost";
}

}  // namespace
}  // namespace hotpair::dpdk
