#include "agent/daemon/kernel_ruleset.hpp"

#include <algorithm>
#include <filesystem>

#include "agent/daemon/config_command.hpp"
#include "agent/daemon/config_place.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/nftables_sets.hpp"
#include "platform/linux/state_file.hpp"

namespace hotpair::daemon {
namespace {

using Elements = std::vector<std::pair<sys::NftSet, std::vector<sys::NftElement>>>;

constexpr Duration kListTimeout = 20s, kLoadTimeout = 30s;
constexpr int kAttempts = 3;  // somebody may remove a set between two commands
constexpr std::size_t kMaxKeptElements = 200'000, kMostKept = 20;
constexpr std::size_t kLongestWord = 120u << 10;  // that a command may be given
constexpr const char* kKept = "lost-";

// Those of the tables that come and go by themselves. What cannot be read is not kept.
Elements elements_of(sys::NftablesSets& sets, const std::vector<std::string>& tables) {
  Elements kept;
  auto all = sets.list();
  if (!all) return kept;
  for (const sys::NftSet& set : *all) {
    const std::string table = set.family + " " + set.table;
    if (!set.comes_and_goes || std::ranges::find(tables, table) == tables.end()) continue;
    if (auto elements = sets.read(set, kMaxKeptElements))
      kept.emplace_back(set, std::move(*elements));
  }
  return kept;
}

}  // namespace

Result<agent::NftRuleset> KernelRuleset::read(const std::vector<agent::NftSetName>& by_element) {
  auto ruleset = read_once(by_element);
  for (int i = 1; i < kAttempts && !ruleset && !stopping_; ++i) ruleset = read_once(by_element);
  return ruleset;
}

// First without elements: there may be 100,000 in a set whose elements are not asked for.
Result<agent::NftRuleset> KernelRuleset::read_once(
    const std::vector<agent::NftSetName>& by_element) {
  const auto list = [&](std::vector<std::string> argv) -> Result<agent::NftRuleset> {
    const auto text =
        listing_of_command(std::move(argv), kListTimeout, agent::kMaxRulesetText, stopping_);
    if (!text) return fail(text.error());
    auto ruleset = agent::parse_ruleset(*text, by_element);
    if (!ruleset) return fail_with("what nft lists of the ruleset cannot be read");
    return *std::move(ruleset);
  };
  auto ruleset = list({"nft", "-s", "-t", "list", "ruleset"});
  if (!ruleset) return ruleset;
  const auto sets = agent::sets_with_elements(*ruleset, by_element);
  if (sets.empty()) return ruleset;
  std::string script;
  for (const auto& set : sets) script += "list " + set + "\n";
  if (script.size() <= kLongestWord)
    if (const auto listed = list({"nft", "-s", script})) {
      agent::add_elements(*ruleset, *listed);
      return ruleset;
    }
  // Some releases (1.0.6) find only the first of two sets of one table in a script.
  for (const auto& set : sets) {
    const auto listed = list({"nft", "-s", "list " + set});
    if (!listed) return listed;
    agent::add_elements(*ruleset, *listed);
  }
  return ruleset;
}

Status KernelRuleset::make(const agent::NftRuleset& present, const agent::NftRuleset& wanted) {
  const auto change = agent::transition(present, wanted);
  if (change.script.empty()) return Ok{};
  const std::string path = directory_ + "/next.nft";
  if (Status written = sys::write_state_file(path, change.script); !written) return written;
  if (Status good = run_command_to_end({"nft", "-c", "-f", path}, kLoadTimeout, stopping_); !good)
    return fail_with("nft refuses the ruleset: " + good.error().message);
  auto sets = sys::NftablesSets::open();
  const Elements kept = sets ? elements_of(*sets, change.made_anew) : Elements();
  if (Status done = run_command_to_end({"nft", "-f", path}, kLoadTimeout, stopping_); !done)
    return fail_with("nft did not load the ruleset: " + done.error().message);
  for (const auto& [set, elements] : kept) (void)sets->change(set, {}, elements);
  return Ok{};
}

Result<std::string> KernelRuleset::keep(const agent::NftRuleset& ruleset) {
  namespace fs = std::filesystem;
  std::string stamp = sys::wall_clock_text();
  std::erase_if(stamp, [](char c) { return c == ':' || c == '/'; });
  const std::string path = directory_ + "/" + kKept + stamp + ".nft";
  if (Status written = write_durable(path, agent::ruleset_text(ruleset)); !written)
    return fail(written.error());
  std::vector<fs::path> all;
  std::error_code ignored;
  for (const auto& each : fs::directory_iterator(directory_, ignored))
    if (each.path().filename().string().starts_with(kKept)) all.push_back(each.path());
  std::ranges::sort(all);
  for (std::size_t i = 0; i + kMostKept < all.size(); ++i) fs::remove(all[i], ignored);
  return path;
}

}  // namespace hotpair::daemon
