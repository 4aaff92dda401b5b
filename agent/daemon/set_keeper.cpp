// What the backup holds of the primary's sets.
#include <algorithm>
#include <utility>

#include "agent/daemon/set_elements.hpp"
#include "agent/daemon/set_reports.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

constexpr Duration kGather = 100ms, kPoll = 10s, kReconcile = 60s;
constexpr int kShare = 20;    // reading takes at most a twentieth of a CPU
constexpr int kAttempts = 3;  // an element may end between reading and changing
constexpr std::size_t kMostNews = 32'768;

bool is_well_formed(const agent::ElementChange& change) {
  return std::ranges::all_of(change.removed,
                             [](const auto& key) { return sys::is_well_formed_key(key); }) &&
         std::ranges::all_of(change.set, [](const auto& each) {
           return sys::is_well_formed({each.key, each.value, each.state, 0, 0});
         });
}

}  // namespace

void SetKeeper::set_names(std::vector<agent::NftSetName> names) {
  names_ = std::move(names);
  std::erase_if(held_, [&](const auto& held) {
    return std::ranges::none_of(names_, [&](const auto& n) { return n.matches(held.first); });
  });
  states_.clear();
}

void SetKeeper::clear() {
  held_.clear();
  states_.clear();
}

// Of what it did itself nothing is heard.
void SetKeeper::heard(const sys::NftablesWatch::Heard& heard, Instant now) {
  for (auto& [name, held] : held_) {
    const auto set = id_of(name);
    const auto events = heard.elements.find(set);
    if (!heard.tells_all_of(set) || held.news.events.size() > kMostNews) {
      held.news.clear();
      held.due = std::min(held.due, std::max(now + kGather, held.earliest));
    } else if (events != heard.elements.end()) {
      std::ranges::copy(events->second, std::back_inserter(held.news.events));
      held.news.due = std::min(held.news.due, now + kGather);
    }
  }
}

Instant SetKeeper::next() const {
  Instant next = Instant::max();
  for (const auto& [name, held] : held_) next = std::min({next, held.due, held.news.due});
  return next;
}

Result<sys::NftSet> SetKeeper::find(const agent::NftSetName& name) {
  const auto all = kernel_.list();
  if (!all) return fail(all.error());
  for (const sys::NftSet& set : *all)
    if (name == agent::NftSetName{set.family, set.table, set.name}) return set;
  return fail_with("the backup's kernel has no set or map " + name.text());
}

std::size_t SetKeeper::room_beside(const agent::NftSetName& name) const {
  std::size_t others = 0;
  for (const auto& [each, held] : held_)
    if (each != name) others += held.table.size();
  return agent::kMaxElements - std::min(others, agent::kMaxElements);
}

RulesetOutcome SetKeeper::take(const agent::NftSetName& name, bool whole,
                               const agent::ElementChange& change) {
  const auto refuse = [&](const std::string& why) {
    held_.erase(name);
    states_[name.text()] = {0, 0, 0, false, why};
    RulesetOutcome outcome;
    outcome.error = why;
    return outcome;
  };
  if (std::ranges::none_of(names_, [&](const auto& each) { return each.matches(name); }))
    return refuse("config_sync.nft_sets of the backup's cluster.yaml does not name " + name.text());
  if (!is_well_formed(change)) return refuse("elements of " + name.text() + " cannot be read");
  if (!whole && !held_.contains(name)) return refuse("it was never told whole");
  const auto set = find(name);
  if (!set) {
    forget(name);
    RulesetOutcome outcome;
    outcome.error = set.error().message;
    return outcome;
  }
  Held& held = held_[name];
  const Instant now = sys::now();
  if (whole) held.table.clear();
  const auto asked = held.table.follow(change, now);
  held.table.apply(change, now);
  if (held.table.size() > room_beside(name))
    return refuse("there are more than " + std::to_string(agent::kMaxElements) + " elements");
  Status done = Ok{};
  if (!whole) done = kernel_.change(*set, asked.removed, for_kernel(asked.set));
  if (whole || !done) done = repair(*set, held, false);
  if (!done) return refuse(name.text() + " of the backup: " + done.error().message);
  elements_taken_ += change.set.size() + change.removed.size();
  states_[name.text()] = {held.table.size(), held.table.digest(), held.table.digest(), true, ""};
  return {true, "", "", held.table.size(), held.table.digest(), ""};
}

Status SetKeeper::repair(const sys::NftSet& set, Held& held, bool count) {
  Status done = Ok{};
  held.news.clear();  // it is in what is read
  const Duration used_before = sys::cpu_time();
  for (int i = 0; i < kAttempts; ++i) {
    auto found = kernel_.read(set, agent::kMaxElements);
    ++readings_;
    if (!found) return fail(found.error());
    const auto change = held.table.repair(as_told(std::move(*found)), sys::now());
    if (count) repaired_ += std::max(change.removed.size(), change.set.size());
    if (change.empty()) break;
    done = kernel_.change(set, change.removed, for_kernel(change.set));
    if (done) break;
  }
  const auto fed = kernel_.fed_by_packets();
  const bool is_fed = fed ? fed->contains(set) : set.comes_and_goes;
  const Instant now = sys::now();
  held.earliest = now + (sys::cpu_time() - used_before) * kShare;
  held.due = std::max(now + (is_fed ? kPoll : kReconcile), held.earliest);
  return done;
}

// What fails here is looked at whole: the set may have changed again meanwhile.
Status SetKeeper::repair_news(const sys::NftSet& set, Held& held) {
  const auto reports = reports_of(set, std::exchange(held.news, {}).events);
  if (!reports) return repair(set, held, true);
  const auto change = held.table.repair(*reports, sys::now());
  if (change.empty()) return Ok{};
  const Status done = kernel_.change(set, change.removed, for_kernel(change.set));
  if (!done) return repair(set, held, true);
  repaired_ += std::max(change.removed.size(), change.set.size());
  return Ok{};
}

// A set that is not there is the ruleset's affair; the primary tells it anew once it is.
void SetKeeper::forget(const agent::NftSetName& name) {
  held_.erase(name);
  states_.erase(name.text());
}

void SetKeeper::repair(bool all) {
  const Instant now = sys::now();
  std::vector<agent::NftSetName> gone;
  for (auto& [name, held] : held_) {
    const bool whole = all || held.due <= now;
    if (!whole && held.news.due > now) continue;
    const auto set = find(name);
    if (!set) {
      gone.push_back(name);
      continue;
    }
    const Status done = whole ? repair(*set, held, !all) : repair_news(*set, held);
    SetState& state = states_[name.text()];
    state.in_sync = done.ok();
    state.error = done ? "" : done.error().message;
  }
  for (const auto& name : gone) forget(name);
}

}  // namespace hotpair::daemon
