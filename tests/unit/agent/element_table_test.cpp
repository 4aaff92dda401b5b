// Elements of a set told from one node to the other: what is worth telling, what a kernel lacks of
// what was told, and how it travels.
#include "agent/core/element_table.hpp"

#include <gtest/gtest.h>

#include "agent/core/element_wire.hpp"

namespace hotpair::agent {
namespace {

const Instant kStart{1000s};

SetElement element(const char* key, Duration left = 0s, const char* value = "") {
  return {key, value, "", 3'600'000, static_cast<std::uint64_t>(to_ms(left))};
}

ElementTable told(const std::vector<SetElement>& elements) {
  ElementTable table;
  table.apply({{}, elements}, kStart);
  return table;
}

std::vector<std::string> keys_of(const std::vector<SetElement>& elements) {
  std::vector<std::string> keys;
  for (const auto& each : elements) keys.push_back(each.key);
  return keys;
}
using Keys = std::vector<std::string>;

TEST(ElementTableTest, what_is_new_and_what_means_something_else_is_told) {
  auto table = told({element("a"), element("b")});
  const auto change = table.difference({element("a"), element("b", 0s, "x"), element("c")}, kStart);
  EXPECT_EQ(keys_of(change.set), (Keys{"b", "c"}));
  table.apply(change, kStart);
  EXPECT_TRUE(
      table.difference({element("a"), element("b", 0s, "x"), element("c")}, kStart).empty());
}

TEST(ElementTableTest, a_counter_that_counts_is_no_change) {
  auto table = told({element("a")});
  SetElement counted = element("a");
  counted.state = "5 packets";
  EXPECT_TRUE(table.difference({counted}, kStart).empty());
}

TEST(ElementTableTest, what_is_missing_is_believed_at_the_second_reading) {
  auto table = told({element("a"), element("b", 60s)});
  EXPECT_TRUE(table.difference({}, kStart).empty());
  EXPECT_TRUE(table.in_doubt());
  EXPECT_EQ(table.difference({element("b", 60s)}, kStart).removed, Keys{"a"});
  EXPECT_FALSE(table.in_doubt());
}

TEST(ElementTableTest, what_is_over_is_gone_at_the_first_reading) {
  auto table = told({element("a", 10s)});
  EXPECT_EQ(table.difference({}, kStart + 10s).removed, Keys{"a"});
}

TEST(ElementTableTest, time_that_passes_is_no_change_and_time_that_is_given_is) {
  auto table = told({element("a", 3600s)});
  EXPECT_TRUE(table.difference({element("a", 3000s)}, kStart + 600s).empty());
  EXPECT_TRUE(table.difference({element("a", 3020s)}, kStart + 600s).empty()) << "20 s more";
  EXPECT_EQ(keys_of(table.difference({element("a", 3600s)}, kStart + 600s).set), Keys{"a"});
  EXPECT_EQ(keys_of(table.difference({element("a")}, kStart + 600s).set), Keys{"a"}) << "for ever";
}

TEST(ElementTableTest, a_short_time_is_told_when_it_moved_by_half_a_second) {
  auto table = told({element("a", 4s)});
  EXPECT_TRUE(table.difference({element("a", 3400ms)}, kStart + 1s).empty());
  EXPECT_EQ(keys_of(table.difference({element("a", 4s)}, kStart + 1s).set), Keys{"a"});
}

TEST(ElementTableTest, a_kernel_gets_what_it_lacks_and_loses_what_was_not_told) {
  const auto table = told({element("a", 60s), element("b"), element("over", 1s)});
  const auto change = table.repair({element("b", 0s, "x"), element("foreign")}, kStart + 10s);
  EXPECT_EQ(change.removed, (Keys{"b", "foreign"})) << "b is to be made anew";
  auto set = keys_of(change.set);
  std::sort(set.begin(), set.end());
  EXPECT_EQ(set, (Keys{"a", "b"}));
  for (const auto& each : change.set)
    EXPECT_EQ(each.left_ms, each.key == "a" ? 50'000u : 0u) << each.key;
  EXPECT_TRUE(table.repair({element("a", 50s), element("b")}, kStart + 10s).empty());
}

TEST(ElementTableTest, a_change_asks_a_kernel_for_nothing_that_is_gone_by_itself) {
  const auto table = told({element("a", 60s), element("b", 2s), element("c")});
  const auto change = table.follow({{"a", "b", "unknown"}, {element("c", 5s)}}, kStart + 1500ms);
  EXPECT_EQ(change.removed, (Keys{"a", "c"}));
  EXPECT_EQ(keys_of(change.set), Keys{"c"});
}

TEST(ElementTableTest, what_a_kernel_reports_of_single_elements_is_told_and_nothing_else) {
  auto table = told({element("a", 60s), element("b"), element("c")});
  const auto change = table.difference({{element("a", 58s), false},
                                        {element("b"), true},
                                        {element("unknown"), true},
                                        {element("new", 5s), false}},
                                       kStart + 2s);
  EXPECT_EQ(change.removed, Keys{"b"});
  EXPECT_EQ(keys_of(change.set), Keys{"new"}) << "a is as it was told";
}

TEST(ElementTableTest, of_several_reports_of_one_element_the_last_counts) {
  auto table = told({element("a"), element("b")});
  auto change = table.difference({{element("a"), true},
                                  {element("a", 0s, "x"), false},
                                  {element("b", 0s, "y"), false},
                                  {element("b"), true},
                                  {element("c"), false},
                                  {element("c"), true}},
                                 kStart);
  EXPECT_EQ(change.removed, Keys{"b"});
  EXPECT_EQ(keys_of(change.set), Keys{"a"});
  table.apply(change, kStart);
  EXPECT_EQ(table.digest(), told({element("a", 0s, "x")}).digest());
}

TEST(ElementTableTest, a_kernel_gets_back_what_it_reports_to_have_lost_or_to_have_otherwise) {
  const auto table =
      told({element("lost", 60s), element("other"), element("good"), element("over", 1s)});
  const auto change = table.repair({{element("lost"), true},
                                    {element("other", 0s, "x"), false},
                                    {element("good"), false},
                                    {element("over"), true},
                                    {element("foreign"), false}},
                                   kStart + 10s);
  auto removed = change.removed;
  std::sort(removed.begin(), removed.end());
  EXPECT_EQ(removed, (Keys{"foreign", "other"}));
  auto set = keys_of(change.set);
  std::sort(set.begin(), set.end());
  EXPECT_EQ(set, (Keys{"lost", "other"}));
}

TEST(ElementTableTest, what_was_told_with_an_end_is_over_then) {
  auto table = told({element("a", 10s), element("b", 20s), element("c")});
  EXPECT_TRUE(table.ended(kStart + 9s).empty());
  const auto first = table.ended(kStart + 10s);
  EXPECT_EQ(first.removed, Keys{"a"});
  table.apply(first, kStart + 10s);
  EXPECT_TRUE(table.ended(kStart + 11s).empty());
  EXPECT_EQ(table.ended(kStart + 1h).removed, Keys{"b"});
}

TEST(ElementTableTest, equal_tables_have_equal_digests_whatever_the_order_and_the_time) {
  const auto one = told({element("a", 60s), element("b", 0s, "x")});
  const auto other = told({element("b", 0s, "x"), element("a", 50s)});
  EXPECT_EQ(one.digest(), other.digest());
  EXPECT_NE(one.digest(), told({element("a"), element("b", 0s, "y")}).digest());
  EXPECT_NE(one.digest(), told({element("a")}).digest());
}

TEST(ElementWireTest, many_elements_travel_in_bounded_messages) {
  const NftSetName set{"inet", "filter", "blocklist"};
  ElementChange change;
  for (int i = 0; i < 20'000; ++i)
    change.set.push_back(element(("key " + std::to_string(i)).c_str(), 60s, "value"));
  change.removed = {"gone"};
  ElementTable arrived;
  const auto messages = encode_elements(set, true, change);
  EXPECT_GT(messages.size(), 2u);
  for (const auto& bytes : messages) {
    EXPECT_LT(bytes.size(), kMaxElementsMessage);
    const auto message = decode_elements(bytes);
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(message->set, set);
    EXPECT_TRUE(message->whole);
    EXPECT_EQ(message->last, &bytes == &messages.back());
    arrived.apply(message->change, kStart);
  }
  EXPECT_EQ(arrived.digest(), told(change.set).digest());
}

TEST(ElementWireTest, the_documented_message_is_what_is_sent) {
  const auto messages =
      encode_elements({"ip", "t", "s"}, false, {{"k"}, {{"key", "v", "st", 5000, 4000}}});
  ASSERT_EQ(messages.size(), 1u);
  const std::string expected(
      "\x02\x02ip\x01t\x01s\x01\0\x01k\x02\0\x03key\0\x01v\0\x02st"
      "\0\0\0\0\0\0\x13\x88\0\0\0\0\0\0\x0f\xa0",
      41);
  EXPECT_EQ(std::string(messages[0].begin(), messages[0].end()), expected);
}

TEST(ElementWireTest, what_is_cut_or_of_another_kind_is_refused) {
  const auto bytes = encode_elements({"ip", "t", "s"}, false, {{"k"}, {element("key")}})[0];
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const bool between = size == 8 || size == 12;  // nothing, or one removal, is a message too
    EXPECT_EQ(decode_elements(Bytes(bytes).first(size)).has_value(), between) << size;
  }
  auto other = bytes;
  other[8] = 3;
  EXPECT_FALSE(decode_elements(other).has_value());
  other = bytes;
  other[0] = 4;
  EXPECT_FALSE(decode_elements(other).has_value());
}

}  // namespace
}  // namespace hotpair::agent
