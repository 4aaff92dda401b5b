// What this node begins: looking at its own kernel, and rounds as the primary.
#include "agent/daemon/ruleset_engine.hpp"

#include <algorithm>

#include "agent/core/management_ports.hpp"
#include "agent/core/nft_devices.hpp"
#include "agent/daemon/config_files.hpp"
#include "agent/daemon/config_place.hpp"
#include "agent/daemon/set_reports.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

using agent::RulesetVerdict;
using nlohmann::json;

constexpr Duration kTurn = 5s, kAnswer = 7s, kAskEvery = 1s, kRetry = 2s, kTakeOver = 90s,
                   kLongestWait = 60s;
// Several commands in a row are one change; looking takes at most a tenth of the time.
constexpr Duration kGather = 100ms;
constexpr int kLookShare = 10;

}  // namespace

Result<std::shared_ptr<RulesetEngine>> RulesetEngine::open(PeerCalls::Dial dial,
                                                           std::string directory,
                                                           std::string run_dir, Log log) {
  auto sending = sys::NftablesSets::open(), keeping = sys::NftablesSets::open();
  if (!sending) return fail(sending.error());
  if (!keeping) return fail(keeping.error());
  if (Status made = make_directories(directory); !made) return fail(made.error());
  return std::shared_ptr<RulesetEngine>(
      new RulesetEngine(std::move(dial), std::move(directory), std::move(run_dir), std::move(log),
                        std::move(sending).value(), std::move(keeping).value()));
}

RulesetEngine::RulesetEngine(PeerCalls::Dial dial, std::string directory, std::string run_dir,
                             Log log, sys::NftablesSets sending, sys::NftablesSets keeping)
    : calls_(std::move(dial), kMaxRulesetMessage),
      directory_(directory),
      run_dir_(std::move(run_dir)),
      log_(std::move(log)),
      kernel_(std::move(directory)),
      sender_(std::move(sending)),
      keeper_(std::move(keeping)) {}

void RulesetEngine::set_rules(const RulesetRules& rules) {
  const std::lock_guard lock(state_mutex_);
  rules_ = rules;
  rules_changed_ = true;
}

Failure<Error> RulesetEngine::lost() {
  lost_ = true;
  return fail_with("the connection to the peer was lost in the middle; it is tried again");
}

RulesetRules RulesetEngine::rules() const {
  const std::lock_guard lock(state_mutex_);
  return rules_;
}

RulesetState RulesetEngine::state() const {
  const std::lock_guard lock(state_mutex_);
  return state_;
}

void RulesetEngine::cut() {
  calls_.cut();
}

void RulesetEngine::stop() {
  kernel_.stop();
  calls_.end();
}

// Under turns_: whoever begins something begins it by the rules of now.
void RulesetEngine::take_rules() {
  RulesetRules now;
  {
    const std::lock_guard lock(state_mutex_);
    if (!std::exchange(rules_changed_, false)) return;
    now = rules_;
  }
  sender_.set_names(now.sets);
  keeper_.set_names(now.sets);
  own_.reset();
  next_ask_ = {};
}

void RulesetEngine::heard(const sys::NftablesWatch::Heard& heard) {
  if (!heard.changed && heard.elements.empty()) return;
  const std::lock_guard turn(turns_);
  const Instant now = sys::now();
  sender_.heard(heard, now);
  keeper_.heard(heard, now);
  if (!heard.changed) return;
  const bool ours = !heard.lost && heard.tables == std::set<std::string>{agent::kManagementTable};
  if (!ours && !touched_ && !is_of_sets_alone(heard)) touched_ = now;
}

sys::NftablesWatch::Wanted RulesetEngine::wanted() const {
  return
      [sets = rules().sets, keeper = keeper_.port()](const sys::NftSetId& id, std::uint32_t port) {
        const auto name = name_of(id);
        return port != keeper &&
               std::ranges::any_of(sets, [&](const auto& set) { return set.matches(name); });
      };
}

// Nothing but elements of sets that are told one by one.
bool RulesetEngine::is_of_sets_alone(const sys::NftablesWatch::Heard& heard) const {
  return !heard.lost && heard.ruled.empty() &&
         std::ranges::all_of(heard.sets,
                             [is_wanted = wanted()](const auto& set) { return is_wanted(set, 0); });
}

Instant RulesetEngine::next_look() const {
  const RulesetRules now = rules();
  if (!now.ruleset) return Instant::max();
  if (!own_) return earliest_look_;
  return std::max(touched_ ? *touched_ + kGather : looked_ + now.rescan, earliest_look_);
}

Status RulesetEngine::look() {
  const Instant began = sys::now();
  if (own_ && began < next_look()) return Ok{};
  touched_.reset();
  const RulesetRules now = rules();
  auto ruleset = kernel_.read(now.sets);
  looked_ = sys::now();
  earliest_look_ = looked_ + (looked_ - began) * kLookShare;
  if (!ruleset) {
    own_.reset();
    return fail_with("the ruleset of this node cannot be read: " + ruleset.error().message);
  }
  std::map<std::string, std::string> names;
  for (const auto& [name, device] : now.devices) names[device] = name;
  std::string text = agent::ruleset_text(agent::with_devices(*ruleset, names));
  const std::string checksum = hex_of(hash_of(text));
  if (own_ && own_->checksum != checksum) next_ask_ = {};
  own_ = Own{std::move(*ruleset), std::move(text), checksum};
  const std::lock_guard lock(state_mutex_);
  state_.checksum = checksum;
  state_.tables = own_->ruleset.size();
  return Ok{};
}

Instant RulesetEngine::turn(bool primary, bool peer_alive) {
  if (primary_.exchange(primary) != primary || !peer_alive) {
    const std::lock_guard turn(turns_);
    call_.reset();
    sender_.start_anew();
    if (primary) keeper_.clear();
    const std::lock_guard lock(state_mutex_);
    state_.known = false;
    state_.sets.clear();
  }
  const std::unique_lock turn(turns_, kTurn);
  if (!turn) return sys::now() + kRetry;
  take_rules();
  const Instant next = primary && peer_alive ? turn_as_primary() : turn_as_backup();
  return std::min(next, sys::now() + kLongestWait);
}

Instant RulesetEngine::turn_as_primary() {
  const RulesetRules now = rules();
  if (!call_) {
    auto connected = calls_.dial();
    if (!connected) {
      note(fail(connected.error()));
      return sys::now() + kRetry;
    }
    call_ = std::move(*connected);
    sender_.start_anew();
    next_ask_ = {};
  }
  lost_ = false;
  if (!now.ruleset) note(Ok{});
  if (now.ruleset) (void)look();  // a round says what fails
  if (now.ruleset && sys::now() >= next_ask_) {
    next_ask_ = sys::now() + kAskEvery;
    const Status done = round(*call_, false);
    if (done) sender_.try_again();
    note(done);
  }
  if (!lost_)
    if (Status sent = sender_.turn(*call_); !sent) {
      lost_ = true;
      note(sent);
    }
  note_sets();
  if (lost_) {
    call_.reset();
    return sys::now() + kRetry;
  }
  return std::min(now.ruleset ? std::min(next_look(), next_ask_) : Instant::max(), sender_.next());
}

Instant RulesetEngine::turn_as_backup() {
  if (rules().ruleset)
    if (Status done = look(); !done) note(done);
  if (!primary_) {
    keeper_.repair(false);
    note_sets();
  }
  return std::min(next_look(), keeper_.next());
}

Status RulesetEngine::round(sys::MessageStream& stream, bool forced) {
  if (Status done = look(); !done) return done;
  const auto answer = say(stream, RulesetMessage::ask, json::object())
                          ? hear(stream, RulesetMessage::have, kAnswer)
                          : std::nullopt;
  if (!answer) return lost();
  const RulesetHave have = have_from(*answer);
  if (!have.refuses.empty() && (!forced || have.checksum.empty())) return fail_with(have.refuses);
  agent::RulesetSide sender{own_->checksum, own_->ruleset.empty(), {}};
  agent::RulesetSide receiver{have.checksum, have.empty, {}};
  if (const auto own = agreement()) sender.agreement = {own->own, own->peer};
  if (have.agreement) receiver.agreement = {have.agreement->peer, have.agreement->own};
  {
    const std::lock_guard lock(state_mutex_);
    state_.peer_checksum = have.checksum;
  }
  const auto verdict = agent::plan_ruleset(sender, receiver, rules().policy, forced);
  const Status done = act(stream, verdict, have, forced);
  RulesetNews news;
  {
    const std::lock_guard lock(state_mutex_);
    state_.changed_on_backup = verdict == RulesetVerdict::kept;
    news = {done.ok() && verdict != RulesetVerdict::kept, state_.changed_on_backup,
            verdict == RulesetVerdict::conflict, own_->checksum, done ? "" : done.error().message};
    state_.in_sync = news.in_sync;
  }
  if (!lost_) (void)say(stream, RulesetMessage::verdict, to_json(news));
  return done;
}

Status RulesetEngine::act(sys::MessageStream& stream, RulesetVerdict verdict,
                          const RulesetHave& have, bool forced) {
  switch (verdict) {
    case RulesetVerdict::same:
      return Ok{};
    case RulesetVerdict::agree:
      if (!say(stream, RulesetMessage::agree, to_json(OwnAgreement{have.checksum, own_->checksum})))
        return lost();
      remember({own_->checksum, have.checksum});
      return Ok{};
    case RulesetVerdict::no_rules:
      return fail_with(
          "this node has no rules at all, and the backup's are not taken away for that; load them, "
          "or 'hotpair config push' if that is meant");
    case RulesetVerdict::kept:
      log_verdict(verdict);
      return Ok{};
    default:
      break;
  }
  const std::string pair = own_->checksum + have.checksum;
  if (!forced && pair == refused_ && sys::now() < refused_until_) return fail_with(state().error);
  log_verdict(verdict);
  const Status sent = send(stream, verdict, forced);
  refused_ = sent ? "" : pair;
  refused_until_ = sys::now() + rules().rescan;
  return sent;
}

Status RulesetEngine::send(sys::MessageStream& stream, RulesetVerdict verdict, bool forced) {
  const RulesetCommit commit{own_->checksum, agent::is_kept_beside(verdict, forced), forced,
                             verdict == RulesetVerdict::conflict   ? "both nodes changed it"
                             : verdict == RulesetVerdict::reverted ? "it was changed here"
                                                                   : ""};
  if (stream.send(static_cast<std::uint8_t>(RulesetMessage::text), std::string_view(own_->text),
                  kRulesetPatience) != sys::MessageStream::Outcome::done ||
      !say(stream, RulesetMessage::commit, to_json(commit)))
    return lost();
  const auto answer = hear(stream, RulesetMessage::outcome, kTakeOver);
  if (!answer) return lost();
  const RulesetOutcome outcome = outcome_from(*answer);
  if (!outcome.ok) {
    const std::lock_guard lock(state_mutex_);
    ++state_.refused;
    return fail_with(outcome.error);
  }
  remember({own_->checksum, outcome.checksum});
  log_.notice("ruleset-sent", "the peer's kernel has this node's ruleset");
  const std::lock_guard lock(state_mutex_);
  state_.peer_checksum = outcome.checksum;
  ++state_.changes;
  state_.last_change = sys::wall_clock_text();
  state_.conflict = !forced && (state_.conflict || verdict == RulesetVerdict::conflict);
  if (!outcome.kept.empty()) state_.kept_file = outcome.kept;
  return Ok{};
}

void RulesetEngine::log_verdict(RulesetVerdict verdict) {
  if (verdict == RulesetVerdict::kept && !state().changed_on_backup)
    log_.warning("ruleset-changed-on-backup",
                 "the backup's ruleset was changed there and is left so (backup_changes: report)");
  if (verdict == RulesetVerdict::reverted)
    log_.warning("ruleset-reverted", "the backup's ruleset was changed there and is put back");
  if (verdict == RulesetVerdict::conflict)
    log_.warning("ruleset-conflict",
                 "the ruleset was changed on both nodes; the primary's prevails, the other is kept "
                 "in a file on the backup");
}

void RulesetEngine::note(const Status& outcome) {
  const std::lock_guard lock(state_mutex_);
  state_.sends = primary_;
  if (outcome) {
    state_.known = true;
    state_.error.clear();
    return;
  }
  if (state_.error != outcome.error().message)
    log_.warning("ruleset-not-synchronised", outcome.error().message);
  state_.error = outcome.error().message;
  state_.in_sync = false;
}

void RulesetEngine::note_sets() {
  const std::lock_guard lock(state_mutex_);
  state_.sends = primary_;
  const SetStates& now = primary_ ? sender_.states() : keeper_.states();
  for (const auto& [name, set] : now)
    if (const auto before = state_.sets.find(name);
        !set.error.empty() && (before == state_.sets.end() || before->second.error != set.error))
      log_.warning("set-not-synchronised", name + ": " + set.error, {{"set", name}});
  state_.sets = now;
  state_.elements_sent = sender_.elements_sent();
  state_.elements_taken = keeper_.elements_taken();
  state_.elements_repaired = keeper_.repaired();
  state_.set_readings = sender_.readings() + keeper_.readings();
}

}  // namespace hotpair::daemon
