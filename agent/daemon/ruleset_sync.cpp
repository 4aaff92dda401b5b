#include "agent/daemon/ruleset_sync.hpp"

#include <algorithm>

#include "agent/daemon/config_files.hpp"
#include "agent/daemon/control_schema.hpp"
#include "agent/daemon/json_message.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

RulesetRules rules_of(const config::Config& config) {
  const config::ConfigSync& sync = config.cluster.config_sync;
  RulesetRules rules;
  rules.ruleset = sync.nft_ruleset;
  for (const auto& text : sync.nft_sets)
    if (const auto set = config::nft_set(text))
      rules.sets.push_back({set->family, set->table, set->name});
  rules.policy = sync.backup_changes == config::BackupChanges::revert
                     ? agent::ReceiverChanges::revert
                     : agent::ReceiverChanges::keep;
  rules.rescan = sync.rescan;
  for (const auto& [name, device] : config.node.interfaces)
    if (name != device) rules.devices[name] = device;
  return rules;
}

bool in_sync(const RulesetRules& rules, const RulesetState& state) {
  if (rules.ruleset && !(state.known && state.in_sync)) return false;
  return state.error.empty() && state.sets.empty() == rules.sets.empty() &&
         std::ranges::all_of(state.sets, [](const auto& set) { return set.second.in_sync; });
}

std::string digits_of(std::uint64_t digest) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(digest));
  return text.data();
}

json sets_json(const SetStates& states) {
  json list = json::array();
  for (const auto& [name, set] : states)
    list.push_back({{"set", name},
                    {"elements", set.elements},
                    {"digest", digits_of(set.digest)},
                    {"peer_digest", digits_of(set.peer_digest)},
                    {"in_sync", set.in_sync ? 1 : 0},
                    {"error", set.error}});
  return list;
}

}  // namespace

RulesetSync::~RulesetSync() {
  needs_.link->serve_with(PeerService::ruleset, {});
  stopping_ = true;
  if (engine_) engine_->stop();
  if (thread_) thread_->end();
}

bool RulesetSync::start() {
  auto engine =
      RulesetEngine::open([link = needs_.link] { return link->dial(PeerService::ruleset); },
                          needs_.state_dir + "/ruleset", needs_.run_dir, needs_.log);
  auto watch = sys::NftablesWatch::open();
  auto thread = sys::LoopThread::start("ruleset-sync");
  for (const Error* error : {engine ? nullptr : &engine.error(), watch ? nullptr : &watch.error(),
                             thread ? nullptr : &thread.error()})
    if (error != nullptr) needs_.log.warning("ruleset-not-synchronised", error->message);
  if (!engine || !watch || !thread) return false;
  engine_ = std::move(engine).value();
  watch_ = std::move(watch).value();
  thread_ = std::move(thread).value();
  thread_->post(
      [this] { (void)thread_->loop().add(watch_->fd(), EPOLLIN, [this](auto) { on_heard(); }); });
  return true;
}

void RulesetSync::configure(const config::Config& config, const NodePlan&) {
  rules_ = rules_of(config);
  wanted_ = rules_.wanted();
  if (wanted_ && !engine_ && !start()) return;
  if (!engine_) return;
  engine_->set_rules(rules_);
  if (wanted_)
    needs_.link->serve_with(PeerService::ruleset, [engine = engine_](auto socket, int) {
      engine->serve(std::move(socket));
    });
  else
    needs_.link->serve_with(PeerService::ruleset, {});
  thread_->post([this] { turn(); });
}

void RulesetSync::follow(const PairView& pair) {
  const bool primary = pair.is_primary();
  if (primary == primary_ && pair.peer_alive == peer_alive_) return;
  primary_ = primary;
  peer_alive_ = pair.peer_alive;
  if (!thread_) return;
  if (!pair.peer_alive) engine_->cut();
  thread_->post([this] { turn(); });
}

void RulesetSync::on_heard() {
  engine_->heard(watch_->read(engine_->wanted()));
  turn();
}

void RulesetSync::turn() {
  thread_->loop().cancel(timer_);
  if (!wanted_ || stopping_) return;
  const Instant next = engine_->turn(primary_, peer_alive_);
  if (!stopping_) timer_ = thread_->loop().call_at(next, [this] { turn(); });
}

void RulesetSync::add_status(json& status) const {
  if (!engine_ || !wanted_) return;
  const RulesetState state = engine_->state();
  status["ruleset"] = {{"role", state.sends ? "sends" : "keeps"},
                       {"in_sync", peer_alive_ && in_sync(rules_, state) ? 1 : 0},
                       {"known", state.known},
                       {"nft_ruleset", rules_.ruleset},
                       {"tables", state.tables},
                       {"checksum", state.checksum},
                       {"peer_checksum", state.peer_checksum},
                       {"changed_on_backup", state.changed_on_backup},
                       {"conflict", state.conflict},
                       {"kept_file", state.kept_file},
                       {"error", state.error},
                       {"last_change", state.last_change},
                       {"changes", state.changes},
                       {"refused", state.refused},
                       {"sets", sets_json(state.sets)},
                       {"elements_sent", state.elements_sent},
                       {"elements_taken", state.elements_taken},
                       {"elements_repaired", state.elements_repaired},
                       {"set_readings", state.set_readings}};
}

std::vector<std::string> RulesetSync::warnings() const {
  if (!engine_ || !wanted_) return {};
  std::vector<std::string> list;
  const RulesetState state = engine_->state();
  if (!state.error.empty() && peer_alive_)
    list.push_back("the ruleset is not in sync: " + state.error);
  if (state.changed_on_backup)
    list.push_back(
        "the ruleset was changed on the backup; 'hotpair config diff' shows how, "
        "'hotpair config push' on the primary puts it back, 'pull' takes it over");
  if (state.conflict)
    list.push_back("the ruleset was changed on both nodes; the one that lost is kept as " +
                   state.kept_file + " on the node that was backup");
  for (const auto& [name, set] : state.sets)
    if (!set.error.empty() && peer_alive_)
      list.push_back("the elements of " + name + " are not in sync: " + set.error);
  return list;
}

json RulesetSync::answer_to(const std::string& action) {
  if (action == "push") return outcome_json(engine_->push(), "the peer has this node's ruleset");
  if (action == "pull")
    return outcome_json(engine_->ask_peer_to_push(), "this node has the peer's ruleset");
  if (action == "diff") return engine_->differences();
  return {{"ok", false}, {"error", "one of diff, push, pull"}};
}

bool RulesetSync::answer(const std::string& command, const json& request,
                         const Answered& answered) {
  if (command != control::command::kRuleset) return false;
  std::string action = word_of(request, "action");
  if (!engine_ || !rules_.ruleset) {
    answered({{"ok", false}, {"error", "config_sync.nft_ruleset in cluster.yaml is not true"}});
    return true;
  }
  thread_->post([this, action = std::move(action), answered] {
    needs_.loop.post([answered, reply = answer_to(action)] { answered(reply); });
  });
  return true;
}

}  // namespace hotpair::daemon
