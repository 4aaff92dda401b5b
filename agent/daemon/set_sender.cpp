// What the primary tells of its sets.
#include <algorithm>
#include <utility>

#include "agent/daemon/set_elements.hpp"
#include "agent/daemon/set_reports.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

// What the kernel tells is passed on after a moment that gathers others. Reading takes at most a
// quarter of a CPU while changes ask for it, a tenth where only packets may have made any: the
// kernel tells a set in pieces of 32 KiB and walks it from its beginning for each.
constexpr Duration kGather = 10ms, kPoll = 1s, kRetry = 5s, kTakeOver = 30s, kReconcile = 60s;
constexpr int kBusyShare = 3, kIdleShare = 10;
constexpr std::size_t kMostNews = 32'768;
constexpr const char* kByIndex =
    "its keys number devices, which each box numbers otherwise; use ifname";

}  // namespace

void SetSender::set_names(std::vector<agent::NftSetName> names) {
  names_ = std::move(names);
  start_anew();
}

void SetSender::start_anew() {
  told_.clear();
  states_.clear();
  next_look_ = next_look_at_rules_ = {};
}

void SetSender::try_again() {
  for (auto& [name, told] : told_)
    if (const auto state = states_.find(name.text());
        state != states_.end() && !state->second.error.empty())
      told.due = sys::now();
}

void SetSender::heard(const sys::NftablesWatch::Heard& heard, Instant now) {
  if (heard.lost || !heard.ruled.empty()) {
    next_look_ = std::min(next_look_, now + kGather);
    next_look_at_rules_ = {};
  }
  for (auto& [name, told] : told_) {
    const auto set = id_of(name);
    const auto events = heard.elements.find(set);
    if (!heard.tells_all_of(set) || told.news.events.size() > kMostNews) {
      told.news.clear();
      told.due = std::min(told.due, now + kGather);
    } else if (events != heard.elements.end()) {
      std::ranges::copy(events->second, std::back_inserter(told.news.events));
      told.news.due = std::min(told.news.due, now + kGather);
    }
  }
}

Instant SetSender::next() const {
  if (names_.empty()) return Instant::max();
  Instant next = next_look_;
  for (const auto& [name, told] : told_)
    next = std::min(
        {next, std::max(told.due, told.earliest), told.whole ? told.news.due : Instant::max()});
  return next;
}

bool SetSender::is_fed(const sys::NftSet& set) const {
  return all_fed_ ? set.comes_and_goes : fed_.contains(set);
}

// For the sets that the kernel has; a name without any is a state of its own.
void SetSender::look() {
  const Instant began = sys::now();
  const Duration used_before = sys::cpu_time();
  sets_.clear();
  const auto all = kernel_.list();
  for (const auto& name : names_) {
    bool found = false;
    if (all)
      for (const sys::NftSet& set : *all) {
        if (!name.matches(name_of(set))) continue;
        found = true;
        if (std::ranges::none_of(sets_, [&](const auto& f) { return name_of(f) == name_of(set); }))
          sets_.push_back(set);
      }
    if (!found)
      states_[name.text()] = {.error = all ? "there is no such set or map in the primary's kernel"
                                           : all.error().message};
    else if (name.table.empty())
      states_.erase(name.text());
  }
  const auto is_there = [&](const std::string& name) {
    return std::ranges::any_of(sets_, [&](const auto& f) { return name_of(f).text() == name; });
  };
  std::erase_if(told_, [&](const auto& entry) { return !is_there(entry.first.text()); });
  std::erase_if(states_, [&](const auto& entry) {
    return !is_there(entry.first) && std::ranges::none_of(names_, [&](const auto& name) {
      return name.text() == entry.first;
    });
  });
  if (began >= next_look_at_rules_) {
    auto fed = kernel_.fed_by_packets();
    all_fed_ = !fed.ok();
    fed_ = fed ? std::move(*fed) : std::set<sys::NftSetId>();
    next_look_at_rules_ = began + kReconcile;
  }
  const Instant now = sys::now();
  next_look_ = now + std::max(kPoll, (sys::cpu_time() - used_before) * kIdleShare);
}

Status SetSender::turn(sys::MessageStream& stream) {
  if (names_.empty() || sys::now() < next()) return Ok{};
  const bool looks = sys::now() >= next_look_;
  if (looks) look();
  for (const sys::NftSet& set : sets_) {
    Told& told = told_[name_of(set)];
    const Instant now = sys::now();
    const bool reads = told.reads(now);
    if (!reads && !(told.whole && (told.news.due <= now || looks))) continue;
    SetState& state = states_[name_of(set).text()];
    const Status sent = reads ? read(stream, set, told, state) : pass_on(stream, set, told, state);
    if (!sent) return sent;
    if (!state.error.empty()) told.due = sys::now() + kRetry;
  }
  return Ok{};
}

Status SetSender::read(sys::MessageStream& stream, const sys::NftSet& set, Told& told,
                       SetState& state) {
  const Duration used_before = sys::cpu_time();
  told.news.clear();  // it is in what is read
  auto read = set.by_index ? Result<std::vector<sys::NftElement>>(fail_with(kByIndex))
                           : kernel_.read(set, agent::kMaxElements);
  const Instant now = sys::now();
  const Duration took = sys::cpu_time() - used_before;
  ++readings_;
  told.earliest = now + took * kBusyShare;
  told.due = now + std::max(is_fed(set) ? kPoll : kReconcile, took * kIdleShare);
  if (!read) {
    state.in_sync = told.whole = false;
    state.error = read.error().message;
    return Ok{};
  }
  if (!told.whole) told.table.clear();
  const auto change = told.table.difference(as_told(std::move(*read)), now);
  if (told.table.in_doubt()) told.due = now + 2 * kGather;
  return tell(stream, set, told, state, change, now);
}

// What the kernel told of single elements, and those whose time is over where none is renewed.
Status SetSender::pass_on(sys::MessageStream& stream, const sys::NftSet& set, Told& told,
                          SetState& state) {
  const Instant now = sys::now();
  const auto reports = reports_of(set, std::exchange(told.news, {}).events);
  if (!reports) {
    told.due = now;
    return Ok{};
  }
  auto change = told.table.difference(*reports, now);
  if (change.empty() && !is_fed(set)) change = told.table.ended(now);
  return tell(stream, set, told, state, change, now);
}

Status SetSender::tell(sys::MessageStream& stream, const sys::NftSet& set, Told& told,
                       SetState& state, const agent::ElementChange& change, Instant now) {
  if (!change.empty() || !told.whole) {
    const auto fails = [&](const std::string& why) {
      state.in_sync = told.whole = false;
      state.error = why;
      return Ok{};
    };
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
