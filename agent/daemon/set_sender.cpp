// What the primary tells of its sets.
#include <algorithm>

#include "agent/daemon/set_elements.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

// A change is read after a moment that gathers others, and reading takes at most a quarter of the
// time while changes go on, a twentieth when only packets may have made any.
constexpr Duration kGather = 50ms, kPoll = 1s, kRetry = 5s, kTakeOver = 30s;
constexpr int kBusyShare = 3, kIdleShare = 20;

agent::NftSetName name_of(const sys::NftSet& set) {
  return {set.family, set.table, set.name};
}

std::vector<agent::SetElement> as_told(std::vector<sys::NftElement> elements) {
  std::vector<agent::SetElement> told;
  told.reserve(elements.size());
  for (auto& each : elements)
    told.push_back({std::move(each.key), std::move(each.value), std::move(each.state),
                    each.timeout_ms, each.left_ms});
  return told;
}

}  // namespace

void SetSender::set_names(std::vector<agent::NftSetName> names) {
  names_ = std::move(names);
  start_anew();
}

void SetSender::start_anew() {
  told_.clear();
  states_.clear();
  next_look_ = {};
}

void SetSender::heard(const std::set<std::string>& names, bool all, Instant now) {
  if (all) next_look_ = std::min(next_look_, now + kGather);
  for (auto& [name, told] : told_)
    if (all || names.contains(name.name)) told.due = std::min(told.due, now + kGather);
}

Instant SetSender::next() const {
  if (names_.empty()) return Instant::max();
  Instant next = next_look_;
  for (const auto& [name, told] : told_) next = std::min(next, std::max(told.due, told.earliest));
  return next;
}

// Those that the kernel has; a name without any is a state of its own.
std::vector<sys::NftSet> SetSender::find() {
  std::vector<sys::NftSet> found;
  const auto all = kernel_.list();
  for (const auto& name : names_) {
    const std::size_t before = found.size();
    if (all)
      for (const sys::NftSet& set : *all)
        if (name.matches(name_of(set)) &&
            std::ranges::none_of(found, [&](const auto& f) { return name_of(f) == name_of(set); }))
          found.push_back(set);
    SetState& none = states_[name.text()];
    if (found.size() == before && name.table.empty())
      none.error =
          all ? "there is no such set or map in the primary's kernel" : all.error().message;
    else if (name.table.empty())
      states_.erase(name.text());
  }
  std::erase_if(told_, [&](const auto& entry) {
    return std::ranges::none_of(found, [&](const auto& f) { return name_of(f) == entry.first; });
  });
  return found;
}

Status SetSender::turn(sys::MessageStream& stream) {
  if (names_.empty() || sys::now() < next()) return Ok{};
  for (const sys::NftSet& set : find()) {
    Told& told = told_[name_of(set)];
    const Instant now = sys::now();
    if (std::max(told.due, told.earliest) > now) continue;
    SetState& state = states_[name_of(set).text()];
    const Status sent = send(stream, set, told, state);
    if (!sent) return sent;
    if (!state.error.empty()) told.due = sys::now() + kRetry;
  }
  next_look_ = sys::now() + kPoll;
  return Ok{};
}

Status SetSender::send(sys::MessageStream& stream, const sys::NftSet& set, Told& told,
                       SetState& state) {
  const Instant began = sys::now();
  const auto fails = [&](const std::string& why) {
    state.in_sync = false;
    state.error = why;
    told.whole = false;
    return Ok{};
  };
  if (set.by_index)
    return fails("its keys number devices, which each box numbers otherwise; use ifname");
  auto read = kernel_.read(set, agent::kMaxElements);
  const Instant now = sys::now();
  told.took = now - began;
  told.earliest = now + told.took * kBusyShare;
  told.due = now + std::max(kPoll, told.took * kIdleShare);
  if (!read) return fails(read.error().message);
  if (!told.whole) told.table.clear();
  const auto change = told.table.difference(as_told(std::move(*read)), now);
  if (told.table.in_doubt()) told.due = now + 2 * kGather;
  if (!change.empty() || !told.whole) {
    RulesetOutcome outcome;
    if (Status done = exchange(stream, name_of(set), !told.whole, change, outcome); !done)
      return done;
    if (!outcome.ok) return fails(outcome.error);
    told.table.apply(change, now);
    state.peer_digest = outcome.digest;
    elements_sent_ += change.set.size() + change.removed.size();
    if (outcome.digest != told.table.digest())
      return fails("what the backup was told does not match; it is told again");
    told.whole = true;
  }
  state = {told.table.size(), told.table.digest(), state.peer_digest, true, ""};
  return Ok{};
}

Status SetSender::exchange(sys::MessageStream& stream, const agent::NftSetName& name, bool whole,
                           const agent::ElementChange& change, RulesetOutcome& outcome) {
  const Status lost = fail_with("the connection to the peer was lost in the middle");
  for (const auto& bytes : agent::encode_elements(name, whole, change))
    if (stream.send(static_cast<std::uint8_t>(RulesetMessage::elements), Bytes(bytes),
                    kRulesetPatience) != sys::MessageStream::Outcome::done)
      return lost;
  const auto answer = hear(stream, RulesetMessage::outcome, kTakeOver);
  if (!answer) return lost;
  outcome = outcome_from(*answer);
  return Ok{};
}

}  // namespace hotpair::daemon
