// A queue from one thread to another.
#include "platform/base/spsc_ring.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace hotpair {
namespace {

TEST(SpscRingTest, it_holds_as_many_as_it_was_made_for_and_gives_the_oldest_first) {
  SpscRing<int> ring(4);
  EXPECT_EQ(ring.front(), nullptr);
  for (int i = 0; i < 4; ++i) ring.put([i](int& item) { item = i; });
  EXPECT_EQ(ring.room(), 0u);
  for (int i = 0; i < 4; ++i) {
    ASSERT_NE(ring.front(), nullptr);
    EXPECT_EQ(*ring.front(), i);
    ring.drop();
    EXPECT_GE(ring.room(), 1u);
  }
  EXPECT_TRUE(ring.empty());
}

TEST(SpscRingTest, an_item_is_filled_anew_where_an_earlier_one_was) {
  SpscRing<std::string> ring(2);
  for (const char* text : {"first", "second"}) {
    ring.put([&](std::string& item) { item = text; });
    ring.drop();
  }
  ring.put([](std::string& item) { EXPECT_EQ(item, "first"); });
}

TEST(SpscRingTest, everything_comes_to_the_other_thread_once_and_in_order) {
  constexpr std::uint64_t kItems = 300'000;
  SpscRing<std::unique_ptr<std::uint64_t>> ring(64);
  std::thread filling([&] {
    for (std::uint64_t i = 0; i < kItems;) {
      if (ring.room() == 0) {
        std::this_thread::yield();
        continue;
      }
      ring.put([i](auto& item) { item = std::make_unique<std::uint64_t>(i); });
      ++i;
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < kItems;) {
    auto* const item = ring.front();
    if (item == nullptr) {
      std::this_thread::yield();
      continue;
    }
    wrong += **item != i;
    ring.drop();
    ++i;
  }
  filling.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace hotpair
