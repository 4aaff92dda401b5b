// Elements of nftables' sets and maps, from one kernel's set into another, whatever they are.
#include "platform/linux/nftables_sets.hpp"

#include <algorithm>

#include "platform/linux/nftables_summary.hpp"
#include "platform/linux/nftables_watch.hpp"
#include "tests/unit/platform/network_namespace.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::sys {
namespace {

constexpr const char* kSets = R"(table inet t {
  chain c {
  }
  set plain { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 comment "a friend" }; }
  set timed { type ipv4_addr; flags timeout; timeout 1h;
              elements = { 10.0.0.1, 10.0.0.2 timeout 30s }; }
  set nets { type ipv4_addr; flags interval;
             elements = { 10.0.0.0/24, 10.0.1.0/24, 192.168.0.0/16, 255.0.0.0/8 }; }
  set pairs { type ipv4_addr . inet_service; flags interval;
              elements = { 10.0.0.0/24 . 80-90, 10.0.0.1 . 22 }; }
  set counted { type ipv4_addr; counter; elements = { 10.0.0.1 }; }
  map jumps { type inet_service : verdict; elements = { 22 : jump c, 80 : accept }; }
  map nat { type ipv4_addr : ipv4_addr . inet_service; elements = { 10.0.0.1 : 10.9.0.1 . 80 }; }
  set rest { type ipv4_addr; elements = { 10.0.0.1, * }; }
  set indexes { type inet_service . iface_index; }
}
)";

bool nft(const std::string& script) {
  const test::TemporaryDirectory directory;
  return test::run_command("nft -f " + directory.write("script", script));
}

std::string listed(const std::string& what) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("list");
  (void)test::run_command("nft -s list " + what + " >" + path + " 2>&1");
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

NftSet set_of(NftablesSets& sets, const std::string& name) {
  const auto all = sets.list();
  EXPECT_TRUE(all.ok()) << all.error().message;
  const auto found =
      std::ranges::find_if(*all, [&](const NftSet& set) { return set.name == name; });
  EXPECT_NE(found, all->end()) << name;
  return found == all->end() ? NftSet{} : *found;
}

HOTPAIR_NETWORK_TEST(NftablesSetsTest, every_kind_of_element_is_taken_away_and_put_back_as_it_was) {
  ASSERT_TRUE(nft(kSets));
  auto sets = NftablesSets::open();
  ASSERT_TRUE(sets.ok());
  for (const char* name : {"plain", "timed", "nets", "pairs", "counted", "jumps", "nat", "rest"}) {
    const NftSet set = set_of(*sets, name);
    const std::string what =
        (std::string(name) == "jumps" || std::string(name) == "nat" ? "map inet t "
                                                                    : "set inet t ") +
        std::string(name);
    const std::string before = listed(what);
    const auto elements = sets->read(set, 100);
    ASSERT_TRUE(elements.ok()) << elements.error().message;
    std::vector<std::string> keys;
    for (const NftElement& element : *elements) {
      EXPECT_TRUE(is_well_formed(element)) << name;
      keys.push_back(element.key);
    }
    const Status emptied = sets->change(set, keys, {});
    ASSERT_TRUE(emptied.ok()) << name << ": " << emptied.error().message;
    EXPECT_EQ(listed(what).find("elements"), std::string::npos) << listed(what);
    const Status filled = sets->change(set, {}, *elements);
    ASSERT_TRUE(filled.ok()) << name << ": " << filled.error().message;
    EXPECT_EQ(listed(what), before);
    const Status changed = sets->change(set, keys, *elements);
    EXPECT_TRUE(changed.ok()) << name << ": " << changed.error().message;
    EXPECT_EQ(listed(what), before);
  }
}

HOTPAIR_NETWORK_TEST(NftablesSetsTest, what_is_left_of_a_timeout_is_told_and_given) {
  ASSERT_TRUE(nft(kSets));
  auto sets = NftablesSets::open();
  const NftSet set = set_of(*sets, "timed");
  EXPECT_TRUE(set.comes_and_goes);
  auto elements = sets->read(set, 100);
  ASSERT_EQ(elements->size(), 2u);
  const auto shorter = std::ranges::find_if(
      *elements, [](const NftElement& each) { return each.timeout_ms == 30'000; });
  ASSERT_NE(shorter, elements->end());
  EXPECT_GT(shorter->left_ms, 25'000u);
  EXPECT_LE(shorter->left_ms, 30'000u);
  shorter->left_ms = 5'000;
  const std::string keys[] = {shorter->key};
  ASSERT_TRUE(sets->change(set, keys, {&*shorter, 1}).ok());
  elements = sets->read(set, 100);
  EXPECT_TRUE(std::ranges::any_of(*elements, [](const NftElement& each) {
    return each.timeout_ms == 30'000 && each.left_ms <= 5'000;
  }));
}

HOTPAIR_NETWORK_TEST(NftablesSetsTest, ten_thousand_elements_go_in_and_out_in_whole_transactions) {
  ASSERT_TRUE(nft(kSets));
  auto sets = NftablesSets::open();
  const NftSet set = set_of(*sets, "timed");
  std::vector<NftElement> many;
  const NftElement like = sets->read(set, 100)->front();
  std::vector<std::string> keys;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    NftElement element = like;
    store_be(reinterpret_cast<std::uint8_t*>(element.key.data()) + element.key.size() - 4,
             0x0b000000u + i);
    keys.push_back(element.key);
    many.push_back(std::move(element));
  }
  ASSERT_TRUE(sets->change(set, {}, many).ok());
  EXPECT_EQ(sets->read(set, 20'000)->size(), 10'002u);
  EXPECT_FALSE(sets->read(set, 10'000).ok()) << "more than was asked for";
  ASSERT_TRUE(sets->change(set, keys, {}).ok());
  EXPECT_EQ(sets->read(set, 100)->size(), 2u);
}

HOTPAIR_NETWORK_TEST(NftablesSetsTest, a_refusal_is_said_and_leaves_the_set_as_it_was) {
  ASSERT_TRUE(nft(kSets));
  auto sets = NftablesSets::open();
  const NftSet set = set_of(*sets, "plain");
  const auto elements = sets->read(set, 100);
  std::vector<std::string> keys = {elements->front().key, elements->front().key};
  const Status twice = sets->change(set, keys, {});
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(twice.error().message.find("No such file"), std::string::npos);
  EXPECT_EQ(sets->read(set, 100)->size(), 2u);
  NftSet missing = set;
  missing.name = "nowhere";
  EXPECT_FALSE(sets->read(missing, 100).ok());
  EXPECT_FALSE(sets->change(missing, {}, *elements).ok());
}

HOTPAIR_NETWORK_TEST(NftablesSetsTest, keys_that_number_devices_are_told) {
  ASSERT_TRUE(nft(kSets));
  auto sets = NftablesSets::open();
  EXPECT_TRUE(set_of(*sets, "indexes").by_index);
  EXPECT_FALSE(set_of(*sets, "pairs").by_index);
  EXPECT_TRUE(set_of(*sets, "nets").paired);
  EXPECT_FALSE(set_of(*sets, "pairs").paired);
}

constexpr const char* kFed = R"(table ip t {
  set fed { type ipv4_addr; flags dynamic,timeout; timeout 1h; }
  set looked_at { type ipv4_addr; flags timeout; }
  chain c { ip saddr @looked_at update @fed { ip saddr }
  }
}
)";

HOTPAIR_NETWORK_TEST(NftablesSetsTest, sets_that_packets_change_are_told) {
  ASSERT_TRUE(nft(kFed));
  auto sets = NftablesSets::open();
  const auto fed = sets->fed_by_packets();
  ASSERT_TRUE(fed.ok()) << fed.error().message;
  EXPECT_EQ(*fed, (std::set<NftSetId>{{"ip", "t", "fed"}}));
  ASSERT_TRUE(nft("flush chain ip t c"));
  EXPECT_TRUE(sets->fed_by_packets()->empty());
}

HOTPAIR_NETWORK_TEST(NftSummaryTest, whether_there_is_a_ruleset_and_whether_it_tracks) {
  EXPECT_EQ(read_nft_summary("hotpair")->tables, 0u);
  ASSERT_TRUE(
      nft("add table inet hotpair\nadd table ip t\nadd chain ip t c\n"
          "add rule ip t c tcp dport 22 accept"));
  EXPECT_EQ(read_nft_summary("hotpair")->tables, 1u);
  EXPECT_FALSE(read_nft_summary("hotpair")->tracks);
  ASSERT_TRUE(nft("add rule ip t c ct state established accept"));
  EXPECT_TRUE(read_nft_summary("hotpair")->tracks);
  ASSERT_TRUE(
      nft("flush ruleset\nadd table ip t\n"
          "add chain ip t c { type nat hook postrouting priority 100; }\n"
          "add rule ip t c masquerade"));
  EXPECT_TRUE(read_nft_summary("hotpair")->tracks);
}

// What it takes to have what the kernel has, from what the watch told.
std::set<std::string> followed(const NftSet& set, std::set<std::string> keys,
                               const NftablesWatch::Heard& heard) {
  EXPECT_TRUE(heard.tells_all_of(set));
  const auto found = heard.elements.find(set);
  if (found == heard.elements.end()) return keys;
  auto events = set.paired ? pair_intervals(found->second) : std::optional(found->second);
  EXPECT_TRUE(events.has_value());
  for (const auto& event : *events)
    if (event.gone)
      EXPECT_EQ(keys.erase(event.raw.element.key), 1u);
    else
      keys.insert(event.raw.element.key);
  return keys;
}

std::set<std::string> keys_in(NftablesSets& sets, const NftSet& set) {
  std::set<std::string> keys;
  const auto elements = sets.read(set, 100);
  for (const auto& element : *elements) keys.insert(element.key);
  return keys;
}

HOTPAIR_NETWORK_TEST(NftablesWatchTest,
                     what_is_told_of_elements_makes_the_set_that_the_kernel_has) {
  ASSERT_TRUE(nft(kSets));
  auto sets = NftablesSets::open();
  auto watch = NftablesWatch::open();
  const std::pair<const char*, const char*> changes[] = {
      {"plain", "add element inet t plain { 10.0.0.9 }; delete element inet t plain { 10.0.0.1 }"},
      {"timed", "flush set inet t timed; add element inet t timed { 10.0.0.1 timeout 5m }"},
      {"nets", "add element inet t nets { 10.0.2.0/24, 10.0.9.0/24 }"},
      {"nets", "delete element inet t nets { 10.0.1.0/24 }"},
      {"nets", "flush set inet t nets"},
      {"nets", "add element inet t nets { 0.0.0.0/8, 255.255.255.255 }"},
      {"pairs", "add element inet t pairs { 10.0.0.7 . 7-9 }"},
      {"jumps", "delete element inet t jumps { 22 : jump c }"},
      {"rest", "delete element inet t rest { * }"},
  };
  for (const auto& [name, change] : changes) {
    const NftSet set = set_of(*sets, name);
    const auto before = keys_in(*sets, set);
    (void)watch->read();
    ASSERT_TRUE(nft(change)) << change;
    const auto heard = watch->read([&](const NftSetId& id, std::uint32_t) { return id == set; });
    EXPECT_EQ(followed(set, before, heard), keys_in(*sets, set)) << change;
  }
}

HOTPAIR_NETWORK_TEST(NftablesWatchTest, who_asked_for_a_change_and_what_is_not_told_is_told) {
  ASSERT_TRUE(nft(kSets));
  auto sets = NftablesSets::open();
  auto watch = NftablesWatch::open();
  const auto all = [](const NftSetId&, std::uint32_t) { return true; };
  const NftSet plain = set_of(*sets, "plain"), timed = set_of(*sets, "timed");
  const auto elements = *sets->read(plain, 100);
  const std::string keys[] = {elements[0].key};
  ASSERT_TRUE(sets->change(plain, keys, {}).ok());
  auto heard = watch->read(
      [&](const NftSetId& id, std::uint32_t port) { return id == plain && port == sets->port(); });
  ASSERT_EQ(heard.elements[plain].size(), 1u);
  EXPECT_TRUE(heard.elements[plain][0].gone);
  ASSERT_TRUE(nft("delete set inet t plain"));
  heard = watch->read(all);
  EXPECT_FALSE(heard.tells_all_of(plain));
  EXPECT_TRUE(heard.tells_all_of(timed));
  ASSERT_TRUE(nft("flush ruleset"));
  EXPECT_FALSE(watch->read(all).tells_all_of(timed));
}

HOTPAIR_NETWORK_TEST(NftablesWatchTest, more_than_is_kept_of_a_set_is_said_to_be_missing) {
  ASSERT_TRUE(nft(kSets));
  auto sets = NftablesSets::open();
  auto watch = NftablesWatch::open();
  const NftSet set = set_of(*sets, "timed");
  std::vector<NftElement> many;
  const NftElement like = sets->read(set, 100)->front();
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    NftElement element = like;
    store_be(reinterpret_cast<std::uint8_t*>(element.key.data()) + element.key.size() - 4,
             0x0b000000u + i);
    many.push_back(std::move(element));
  }
  ASSERT_TRUE(sets->change(set, {}, many).ok());
  EXPECT_FALSE(watch->read([](const NftSetId&, std::uint32_t) { return true; }).tells_all_of(set));
}

TEST(NftElementsTest, an_interval_that_came_and_went_at_once_cannot_be_told_by_its_ends) {
  const auto event = [](const char* key, bool ends, bool gone) {
    NftElementEvent e;
    e.raw.element.key = key;
    e.raw.ends = ends;
    e.gone = gone;
    return e;
  };
  const auto was_there = pair_intervals(
      std::vector<NftElementEvent>{event("1", false, true), event("2", true, true),
                                   event("1", false, false), event("3", true, false)});
  ASSERT_TRUE(was_there.has_value());
  ASSERT_EQ(was_there->size(), 2u);
  EXPECT_TRUE((*was_there)[0].gone) << "what went comes first";
  EXPECT_FALSE(
      pair_intervals(std::vector<NftElementEvent>{event("1", false, false), event("2", true, false),
                                                  event("1", false, true), event("2", true, true)})
          .has_value());
}

TEST(NftElementsTest, what_is_no_list_of_attributes_is_refused) {
  EXPECT_FALSE(is_well_formed_key(""));
  EXPECT_FALSE(is_well_formed_key("abc"));
  EXPECT_FALSE(is_well_formed_key(std::string("\x08\0\x02\0\0\0\0\0", 8))) << "a value, not a key";
  EXPECT_FALSE(is_well_formed_key(std::string("\x09\0\x01\0\0\0\0\0", 8))) << "cut short";
  EXPECT_TRUE(is_well_formed_key(std::string("\x08\0\x01\0\0\0\0\0", 8)));
  NftElement element;
  element.key = std::string("\x08\0\x01\0\0\0\0\0", 8);
  EXPECT_TRUE(is_well_formed(element));
  element.value = element.key;
  EXPECT_FALSE(is_well_formed(element)) << "a key is no value";
}

}  // namespace
}  // namespace hotpair::sys
