// What an operator asks for: which of the two rulesets shall prevail, and how they differ.
#include "agent/daemon/json_message.hpp"
#include "agent/daemon/ruleset_engine.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr Duration kTurn = 5s, kPushed = 180s;

}  // namespace

Status RulesetEngine::push() {
  const std::unique_lock turn(turns_, kTurn);
  if (!turn) return fail_with("a change of the ruleset is under way");
  take_rules();
  if (!rules().ruleset) return fail_with("config_sync.nft_ruleset in cluster.yaml is not true");
  auto stream = calls_.dial();
  if (!stream) return fail(stream.error());
  lost_ = false;
  const Status done = round(**stream, true);
  note(done);
  return done;
}

Status RulesetEngine::ask_peer_to_push() {
  auto stream = calls_.dial();
  if (!stream) return fail(stream.error());
  if (!say(**stream, RulesetMessage::push, json::object()))
    return fail_with("the connection to the peer was lost in the middle");
  const auto answer = hear(**stream, RulesetMessage::outcome, kPushed);
  if (!answer) return fail_with("the connection to the peer was lost in the middle");
  const RulesetOutcome outcome = outcome_from(*answer);
  if (outcome.ok) return Ok{};
  return fail_with(outcome.error);
}

json RulesetEngine::differences() {
  const std::unique_lock turn(turns_, kTurn);
  if (!turn) return {{"ok", false}, {"error", "a change of the ruleset is under way"}};
  take_rules();
  if (Status done = look(); !done) return outcome_json(done);
  auto stream = calls_.dial();
  if (!stream) return outcome_json(fail(stream.error()));
  sys::Message text;
  const bool told =
      say(**stream, RulesetMessage::read, json::object()) &&
      (*stream)->receive(text, kRulesetPatience) == sys::MessageStream::Outcome::done &&
      text.type == static_cast<std::uint8_t>(RulesetMessage::text);
  if (!told) return {{"ok", false}, {"error", "the peer did not tell its ruleset"}};
  return {{"ok", true}, {"own_text", own_->text}, {"peer_text", std::string(text.text())}};
}

}  // namespace hotpair::daemon
