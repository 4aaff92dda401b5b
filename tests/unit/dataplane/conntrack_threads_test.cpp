// Source and sink with threads of their own: whoever calls them sees what he would see without,
// only later; and he alone is called back.
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>

#include "dataplane/conntrack/threaded_sink.hpp"
#include "dataplane/conntrack/threaded_source.hpp"
#include "tests/unit/dataplane/conntrack_kernel_table.hpp"

namespace hotpair::conntrack {
namespace {

using namespace test;

Session numbered(std::uint32_t number) {
  Session s = udp("192.0.2.1", "198.51.100.1", static_cast<std::uint16_t>(number), 53);
  s.state.mark = number;
  return s;
}

// Waits for what the source has to say.
void await_news(const Source& source) {
  pollfd news{source.event_fd(), POLLIN, 0};
  ASSERT_EQ(poll(&news, 1, 10'000), 1) << "nothing was said for ten seconds";
}

class ThreadedTable : public KernelTable {
 protected:
  void SetUp() override {
    KernelTable::SetUp();
    if (IsSkipped()) return;
    Status placed = Ok{};
    reader_ = in_a_thread(Source::open({}).value(), std::nullopt, placed);
    writer_ = in_a_thread(Sink::open().value(), std::nullopt, placed);
  }

  std::unique_ptr<Source> reader_;
  std::unique_ptr<Sink> writer_;
};

TEST_F(ThreadedTable, WhatWasFlushedIsInTheKernel) {
  for (std::uint16_t port = 1; port <= 5000; ++port)
    writer_->upsert(udp("192.0.2.1", "198.51.100.1", port, 53), 600, true);
  writer_->remove(udp("192.0.2.1", "198.51.100.1", 17, 53).key);
  writer_->flush();
  EXPECT_EQ(dump().size(), 4999u);
  EXPECT_EQ(writer_->counters().created, 5000u);
  EXPECT_EQ(writer_->counters().deleted, 1u);
}

TEST_F(ThreadedTable, WhatTheKernelLacksIsNamedInTheCallersThread) {
  const Session gone = tcp("192.0.2.1", "198.51.100.1", 40001, 443);
  std::vector<SessionKey> missing;
  std::thread::id told_in;
  writer_->on_missing([&](const SessionKey& key) {
    missing.push_back(key);
    told_in = std::this_thread::get_id();
  });
  writer_->refresh(gone.key, 7200);
  writer_->flush();
  EXPECT_THAT(missing, testing::ElementsAre(gone.key));
  EXPECT_EQ(told_in, std::this_thread::get_id());
}

TEST_F(ThreadedTable, EventsComeInTheirOrderAndEndWithTheSubscription) {
  ASSERT_TRUE(reader_->subscribe().ok());
  const Session s = tcp("192.0.2.1", "198.51.100.1", 40000, 443);
  sink_->upsert(s, 600, true);
  sink_->remove(s.key);
  sink_->flush();
  Recorder seen;
  while (seen.destroyed.empty()) {
    await_news(*reader_);
    reader_->poll_events(seen, 1000);
  }
  ASSERT_GE(seen.events.size(), 1u);
  EXPECT_EQ(without_timeout(seen.events.front()), without_timeout(s));
  EXPECT_GE(reader_->counters().events, 2u);

  sink_->upsert(s, 600, true);
  sink_->flush();
  await_news(*reader_);  // it was read, and waits in the ring
  reader_->unsubscribe();
  Recorder later;
  reader_->poll_events(later, 1000);
  EXPECT_THAT(later.events, testing::IsEmpty());
}

TEST_F(ThreadedTable, ADumpIsWhole) {
  for (std::uint16_t port = 1; port <= 10000; ++port)
    sink_->upsert(udp("192.0.2.1", "198.51.100.1", port, 53), 600, true);
  sink_->flush();
  Recorder seen;
  ASSERT_TRUE(reader_->start_dump().ok());
  while (reader_->dumping()) {
    if (!reader_->poll_dump(seen, 256)) break;
    if (reader_->caught_up()) await_news(*reader_);
  }
  EXPECT_EQ(seen.done, true);
  EXPECT_EQ(seen.dumped.size(), 10000u);
}

// A kernel whose events are as many as anybody wants, each with a number of its own, and whose dump
// is what a test says.
class PlayedKernel final : public Source {
 public:
  PlayedKernel() : readable_(eventfd(0, EFD_NONBLOCK)) {}
  void raise(std::uint32_t events) {
    waiting_ += events;
    eventfd_write(readable_.get(), 1);
  }
  void lose_events() {
    lost_ = true;
    eventfd_write(readable_.get(), 1);
  }
  // What the next slice of a dump holds, which waits for it.
  void write_slice(std::vector<Session> records, bool ends) {
    const std::lock_guard lock(mutex_);
    slice_ = Slice{std::move(records), ends};
    written_.notify_one();
  }

  int event_fd() const override { return readable_.get(); }
  int receive_buffer_bytes() const override { return 0; }
  Status set_pickup(const dataplane::PickupOptions&) override { return fail_with("not to be had"); }
  Status subscribe() override { return Ok{}; }
  void unsubscribe() override {}
  Status start_dump() override { return Ok{}; }
  void stop_dump() override {}
  bool dumping() const override { return true; }
  bool poll_events(SourceVisitor& visitor, int max_messages) override {
    eventfd_t times = 0;
    (void)eventfd_read(readable_.get(), &times);
    if (lost_.exchange(false)) visitor.on_overrun();
    for (; waiting_ > 0 && max_messages > 0; --waiting_, --max_messages)
      visitor.on_upsert(numbered(next_++));
    return waiting_ > 0;
  }
  bool caught_up() const override { return waiting_ == 0; }
  bool poll_dump(SourceVisitor& visitor, int) override {
    std::unique_lock lock(mutex_);
    written_.wait(lock, [this] { return slice_.has_value(); });
    for (const Session& record : slice_->records) visitor.on_dump_entry(record);
    if (slice_->ends) visitor.on_dump_done(true);
    slice_.reset();
    return true;
  }
  const SourceCounters& counters() const override { return counters_; }

 private:
  sys::FileDescriptor readable_;
  std::atomic<std::uint32_t> waiting_{0};
  std::atomic<bool> lost_{false};
  std::uint32_t next_ = 0;
  struct Slice {
    std::vector<Session> records;
    bool ends = false;
  };
  std::mutex mutex_;
  std::condition_variable written_;
  std::optional<Slice> slice_;
  SourceCounters counters_;
};

class ThreadedSourceTest : public testing::Test {
 protected:
  ThreadedSourceTest() {
    auto played = std::make_unique<PlayedKernel>();
    kernel_ = played.get();
    Status placed = Ok{};
    source_ = in_a_thread(std::move(played), std::nullopt, placed);
    EXPECT_TRUE(source_->subscribe().ok());
  }
  void poll_until(std::function<bool()> reached) {
    while (source_->poll_events(seen_, 100), !reached() && !HasFatalFailure()) {
      if (!source_->caught_up()) continue;
      await_news(*source_);
    }
  }

  struct Story : Recorder {
    std::vector<std::string> order;
    void on_dump_done(bool complete) override {
      order.push_back("dump done");
      Recorder::on_dump_done(complete);
    }
    void on_overrun() override { order.push_back("overrun"); }
  } seen_;
  PlayedKernel* kernel_ = nullptr;
  std::unique_ptr<Source> source_;
};

TEST_F(ThreadedSourceTest, WhoIsLateFindsEverythingInOrder) {
  constexpr std::uint32_t kMany = 50'000;  // several rings
  kernel_->raise(kMany);
  poll_until([&] { return seen_.events.size() == kMany; });
  for (std::uint32_t i = 0; i < kMany; ++i) ASSERT_EQ(seen_.events[i].state.mark, i);
}

TEST_F(ThreadedSourceTest, WithWhatIsRaisedItHasNotCaughtUpUntilItIsTold) {
  kernel_->raise(1);
  await_news(*source_);
  EXPECT_FALSE(source_->caught_up());
  poll_until([&] { return seen_.events.size() == 1; });
  while (!source_->caught_up()) std::this_thread::yield();
}

TEST_F(ThreadedSourceTest, EventsThatWereLostAreKnownBeforeTheEndOfADump) {
  ASSERT_TRUE(source_->start_dump().ok());
  kernel_->lose_events();
  await_news(*source_);
  source_->poll_dump(seen_, 256);
  kernel_->write_slice({}, true);
  poll_until([&] { return seen_.done.has_value(); });
  EXPECT_THAT(seen_.order, testing::ElementsAre("overrun", "dump done"));
  EXPECT_FALSE(source_->dumping());
}

TEST_F(ThreadedSourceTest, WhatIsLeftOfADumpThatWasStoppedIsNotOfTheNext) {
  ASSERT_TRUE(source_->start_dump().ok());
  source_->poll_dump(seen_, 256);
  kernel_->write_slice({numbered(1)}, false);
  await_news(*source_);  // the record is in the ring
  source_->stop_dump();
  ASSERT_TRUE(source_->start_dump().ok());
  source_->poll_dump(seen_, 256);
  kernel_->write_slice({numbered(2)}, true);
  poll_until([&] { return seen_.done.has_value(); });
  ASSERT_EQ(seen_.dumped.size(), 1u);
  EXPECT_EQ(seen_.dumped.front().state.mark, 2u);
}

TEST_F(ThreadedSourceTest, AnErrorComesBackToWhoAsked) {
  const Status set = source_->set_pickup({});
  ASSERT_FALSE(set.ok());
  EXPECT_EQ(set.error().message, "not to be had");
}

TEST(ThreadedSourcePlaceTest, ACpuThatThereIsNotIsSaidAndTheThreadRunsElsewhere) {
  Status placed = Ok{};
  const auto source = in_a_thread(std::make_unique<PlayedKernel>(), 1000, placed);
  EXPECT_FALSE(placed.ok());
  EXPECT_TRUE(source->subscribe().ok());
}

}  // namespace
}  // namespace hotpair::conntrack
