// What this node does when the peer begins: tells what it has, takes a ruleset or elements over.
#include "agent/core/nft_devices.hpp"
#include "agent/daemon/config_files.hpp"
#include "agent/daemon/ruleset_engine.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/state_file.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;
using Outcome = sys::MessageStream::Outcome;

constexpr Duration kTurn = 5s, kBetweenMessages = 60s;
constexpr const char* kAgreementFile = "/ruleset.json";

RulesetOutcome refusal(const std::string& why) {
  RulesetOutcome outcome;
  outcome.error = why;
  return outcome;
}

bool is(const sys::Message& message, RulesetMessage type) {
  return message.type == static_cast<std::uint8_t>(type);
}

}  // namespace

std::optional<OwnAgreement> RulesetEngine::agreement() const {
  const auto text = sys::read_state_file(run_dir_ + kAgreementFile);
  if (!text || !*text) return std::nullopt;
  return own_agreement_from(json::parse(**text, nullptr, false));
}

void RulesetEngine::remember(const OwnAgreement& agreement) {
  const Status written = sys::write_state_file(run_dir_ + kAgreementFile,
                                               to_json(std::optional(agreement)).dump(), 0600);
  if (!written) log_.warning("ruleset-not-synchronised", written.error().message);
}

void RulesetEngine::serve(sys::FileDescriptor socket) {
  sys::MessageStream stream(std::move(socket), kMaxRulesetMessage);
  sys::Message message;
  std::string text;
  while (stream.receive(message, kBetweenMessages) == Outcome::done) {
    switch (static_cast<RulesetMessage>(message.type)) {
      case RulesetMessage::ask:
        answer_ask(stream);
        break;
      case RulesetMessage::text:
        text = message.text();
        break;
      case RulesetMessage::commit: {
        const auto outcome =
            receive_ruleset(std::exchange(text, {}), commit_from(body_of(message)));
        if (!say(stream, RulesetMessage::outcome, to_json(outcome))) return;
        break;
      }
      case RulesetMessage::agree:
        if (const auto agreed = own_agreement_from(body_of(message))) remember(*agreed);
        break;
      case RulesetMessage::elements:
        if (!receive_elements(stream, message)) return;
        break;
      case RulesetMessage::verdict:
        hear_news(news_from(body_of(message)));
        break;
      case RulesetMessage::push: {
        const Status done = push();
        const RulesetOutcome outcome{done.ok(), done ? "" : done.error().message, "", 0, 0, ""};
        if (!say(stream, RulesetMessage::outcome, to_json(outcome))) return;
        break;
      }
      case RulesetMessage::read: {
        const std::unique_lock turn(turns_, kTurn);
        const std::string own = turn && look() ? own_->text : "";
        if (stream.send(static_cast<std::uint8_t>(RulesetMessage::text), std::string_view(own),
                        kRulesetPatience) != Outcome::done)
          return;
        break;
      }
      default:
        break;  // of a later version
    }
  }
}

RulesetHave RulesetEngine::have() {
  RulesetHave have;
  const std::unique_lock turn(turns_, kTurn);
  if (!turn) {
    have.refuses = "a change of the ruleset is under way on the backup";
    return have;
  }
  take_rules();
  if (!rules().ruleset) {
    have.refuses = "config_sync.nft_ruleset in the backup's cluster.yaml is not true";
    return have;
  }
  if (Status done = look(); !done) {
    have.refuses = "on the backup: " + done.error().message;
    return have;
  }
  if (primary_) have.refuses = "the other node is primary itself";
  have.checksum = own_->checksum;
  have.empty = own_->ruleset.empty();
  have.agreement = agreement();
  return have;
}

void RulesetEngine::answer_ask(sys::MessageStream& stream) {
  (void)say(stream, RulesetMessage::have, to_json(have()));
}

RulesetOutcome RulesetEngine::receive_ruleset(const std::string& text,
                                              const RulesetCommit& commit) {
  const std::unique_lock turn(turns_, kTurn);
  if (!turn) return refusal("a change of the ruleset is under way on the backup");
  take_rules();
  const RulesetRules now = rules();
  if (!now.ruleset)
    return refusal("config_sync.nft_ruleset in the backup's cluster.yaml is not true");
  if (primary_ && !commit.forced) return refusal("the other node is primary itself");
  const auto wanted = agent::parse_ruleset(text, now.sets);
  if (!wanted || hex_of(hash_of(text)) != commit.checksum)
    return refusal("the ruleset that arrived cannot be read; run one version on both nodes");
  touched_ = sys::now() - now.rescan;  // what is there this moment counts
  earliest_look_ = {};
  if (Status done = look(); !done) return refusal("on the backup: " + done.error().message);
  std::string kept;
  if (commit.keep && !own_->ruleset.empty()) {
    const auto path = kernel_.keep(own_->ruleset);
    if (!path) return refusal("on the backup: " + path.error().message);
    kept = *path;
    log_.notice("ruleset-kept", "the ruleset that was here is kept as " + kept +
                                    (commit.why.empty() ? "" : ": " + commit.why));
  }
  Status done = kernel_.make(own_->ruleset, agent::with_devices(*wanted, now.devices));
  keeper_.repair(true);
  own_.reset();
  earliest_look_ = {};
  if (done) done = look();
  // The main loop asks for the state: nothing that waits for a disk under its lock.
  if (done) remember({own_->checksum, commit.checksum});
  const std::lock_guard lock(state_mutex_);
  if (!done) {
    log_.warning("ruleset-refused", done.error().message);
    ++state_.refused;
    return refusal("on the backup: " + done.error().message);
  }
  log_.notice("ruleset-received", "this node's kernel has the peer's ruleset");
  ++state_.changes;
  state_.last_change = sys::wall_clock_text();
  if (!kept.empty()) state_.kept_file = kept;
  return {true, "", own_->checksum, 0, 0, kept};
}

// All messages of one change are read before anything is done; false: the connection ends.
bool RulesetEngine::receive_elements(sys::MessageStream& stream, const sys::Message& first) {
  sys::Message message = first;
  std::optional<agent::ElementsMessage> all;
  for (;;) {
    auto part = is(message, RulesetMessage::elements) &&
                        message.payload.size() <= agent::kMaxElementsMessage
                    ? agent::decode_elements(message.payload)
                    : std::nullopt;
    if (!part || (all && (part->set != all->set || part->whole != all->whole))) return false;
    const bool last = part->last;
    if (!all) {
      all = std::move(part);
    } else {
      auto& [removed, set] = all->change;
      std::ranges::move(part->change.removed, std::back_inserter(removed));
      std::ranges::move(part->change.set, std::back_inserter(set));
      if (removed.size() + set.size() > 2 * agent::kMaxElements) return false;
    }
    if (last) break;
    if (stream.receive(message, kRulesetPatience) != Outcome::done) return false;
  }
  RulesetOutcome outcome = refusal("a change of the ruleset is under way on the backup");
  if (const std::unique_lock turn(turns_, kTurn); turn) {
    take_rules();
    outcome = primary_ ? refusal("the other node is primary itself")
                       : keeper_.take(all->set, all->whole, all->change);
    note_sets();
  }
  return say(stream, RulesetMessage::outcome, to_json(outcome));
}

void RulesetEngine::hear_news(const RulesetNews& news) {
  const std::lock_guard lock(state_mutex_);
  state_.known = true;
  state_.sends = primary_;
  state_.in_sync = news.in_sync;
  state_.changed_on_backup = news.kept;
  state_.peer_checksum = news.checksum;
  state_.error = news.error;
  if (news.conflict && news.in_sync) state_.conflict = true;
}

}  // namespace hotpair::daemon
