// What the backup holds of the primary's sets.
#include <algorithm>

#include "agent/daemon/set_elements.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

constexpr Duration kGather = 100ms, kPoll = 10s;
constexpr int kShare = 20;    // reading takes at most a twentieth of the time
constexpr int kAttempts = 3;  // an element may end between reading and changing

std::vector<sys::NftElement> for_kernel(const std::vector<agent::SetElement>& elements) {
  std::vector<sys::NftElement> made;
  made.reserve(elements.size());
  for (const auto& each : elements)
    made.push_back({each.key, each.value, each.state, each.timeout_ms, each.left_ms});
  return made;
}

std::vector<agent::SetElement> as_told(const std::vector<sys::NftElement>& elements) {
  std::vector<agent::SetElement> told;
  told.reserve(elements.size());
  for (const auto& each : elements)
    told.push_back({each.key, each.value, each.state, each.timeout_ms, each.left_ms});
  return told;
}

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

void SetKeeper::heard(const std::set<std::string>& names, bool all, Instant now) {
  for (auto& [name, held] : held_)
    if (all || names.contains(name.name))
      held.due = std::min(held.due, std::max(now + kGather, held.earliest));
}

Instant SetKeeper::next() const {
  Instant next = Instant::max();
  for (const auto& [name, held] : held_) next = std::min(next, held.due);
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
  if (!set) return refuse(set.error().message);
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
  const Instant began = sys::now();
  for (int i = 0; i < kAttempts; ++i) {
    const auto found = kernel_.read(set, agent::kMaxElements);
    if (!found) return fail(found.error());
    const auto change = held.table.repair(as_told(*found), sys::now());
    if (count) repaired_ += std::max(change.removed.size(), change.set.size());
    if (change.empty()) break;
    done = kernel_.change(set, change.removed, for_kernel(change.set));
    if (done) break;
  }
  const Instant now = sys::now();
  held.earliest = now + (now - began) * kShare;
  held.due = std::max(now + kPoll, held.earliest);
  return done;
}

// A set that is gone is the ruleset's affair; the primary tells it anew once it is there.
void SetKeeper::repair(bool all) {
  for (auto held = held_.begin(); held != held_.end();) {
    if (!all && held->second.due > sys::now()) {
      ++held;
      continue;
    }
    const auto set = find(held->first);
    const Status done = set ? repair(*set, held->second, !all) : Status(fail(set.error()));
    SetState& state = states_[held->first.text()];
    state.in_sync = done.ok();
    state.error = done ? "" : done.error().message;
    held = set ? std::next(held) : held_.erase(held);
  }
}

}  // namespace hotpair::daemon
