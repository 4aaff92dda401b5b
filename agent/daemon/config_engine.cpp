// Rounds that this node begins, and what people ask of both nodes.
#include "agent/daemon/config_engine.hpp"

#include <algorithm>

#include "agent/daemon/box_facts.hpp"
#include "agent/daemon/config_place.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr Duration kTurn = 5s, kFactsPatience = 10s;
constexpr std::size_t kMaxShownText = 1u << 20;
constexpr std::size_t kMaxRemembered = 20;
constexpr std::size_t kChecksumDigits = 32;

std::string checksum_of(const agent::ConfigManifest& manifest, const agent::ConfigScope& scope,
                        std::string_view of) {
  return hex_of(hash_of(agent::canonical_text(manifest, scope, of))).substr(0, kChecksumDigits);
}

Failure<Error> lost() {
  return fail_with("the connection to the peer was lost in the middle; nothing was changed there");
}

}  // namespace

ConfigEngine::ConfigEngine(PeerCalls::Dial dial, std::string directory, Log log)
    : calls_(std::move(dial), kMaxConfigMessage),
      directory_(std::move(directory)),
      log_(log),
      change_(directory_, std::move(log)) {}

void ConfigEngine::set_rules(const ConfigRules& rules) {
  const std::lock_guard lock(state_mutex_);
  rules_ = rules;
}

ConfigRules ConfigEngine::rules() const {
  const std::lock_guard lock(state_mutex_);
  return rules_;
}

ConfigState ConfigEngine::state() const {
  const std::lock_guard lock(state_mutex_);
  return state_;
}

void ConfigEngine::recover() {
  const std::lock_guard turn(turns_);
  if (Status made = make_directories(directory_); !made)
    log_.warning("config-sync-failed", made.error().message);
  change_.recover();
}

ConfigScan ConfigEngine::look() {
  const std::lock_guard turn(turns_);
  return look_locked();
}

ConfigScan ConfigEngine::look_locked() {
  const ConfigRules now = rules();
  ConfigScan scan = files_.scan(now.scope);
  const std::string checksum = checksum_of(scan.manifest, now.scope, "");
  std::map<std::string, std::string> parts;
  for (const auto& [path, travels] : now.parts)
    parts[path] = checksum_of(scan.manifest, now.scope, travels);
  const std::lock_guard lock(state_mutex_);
  state_.problems = scan.problems;
  state_.files = scan.manifest.size();
  state_.bytes = scan.bytes;
  state_.checksum = checksum;
  state_.parts = std::move(parts);
  return scan;
}

void ConfigEngine::stop() {
  change_.stop();
  calls_.end();
}

void ConfigEngine::render_own() {
  const std::lock_guard turn(turns_);
  const ConfigRules now = rules();
  for (const auto& path : now.sync.substitute) {
    const std::string source = path + std::string(kTemplateSuffix);
    const auto manifest = files_.scan(now.scope).manifest;
    const auto found = manifest.find(source);
    if (found == manifest.end() || found->second.kind != agent::ConfigEntry::Kind::file) continue;
    const auto text = read_config_content(source, agent::ConfigEntry::Kind::file);
    if (!text || failed_templates_[source] == found->second.hash) continue;
    const auto made = agent::render_template(*text, now.values);
    const auto present = read_config_content(path, agent::ConfigEntry::Kind::file);
    if (!made.unknown && present && *present == made.text) continue;
    Status done = change_.begin();
    if (done) done = change_.append(found->second.hash, *text);
    if (done)
      done = change_.carry_out({{source, found->second, found->second, false}}, manifest, now);
    if (done) continue;
    failed_templates_[source] = found->second.hash;
    log_.warning("config-template-failed", done.error().message, {{"path", path}});
  }
}

Result<ConfigEngine::Sides> ConfigEngine::ask_for_manifest(sys::MessageStream& stream) {
  Sides sides;
  sides.own = look_locked();
  if (!send_json(stream, ConfigMessage::ask_manifest, json::object())) return lost();
  const auto answer = receive_json(stream, ConfigMessage::manifest, kConfigPatience);
  if (!answer) return fail_with("the peer gave no list of its files; it is asked again");
  const auto peers = manifest_from(answer->value("entries", json()));
  if (!peers) return fail_with("the peer's list of files cannot be read; run one version on both");
  sides.peers = *peers;
  return sides;
}

Status ConfigEngine::round(bool forced) {
  const std::unique_lock turn(turns_, kTurn);
  if (!turn) return fail_with("another change of the configuration is under way");
  agent::ConfigPlan plan;
  Status done = Ok{};
  refused_ = false;
  auto stream = calls_.dial();
  if (!stream) {
    done = fail(stream.error());
  } else if (auto sides = ask_for_manifest(**stream); !sides) {
    done = fail(sides.error());
  } else {
    const auto policy = rules().sync.backup_changes == config::BackupChanges::revert
                            ? agent::ReceiverChanges::revert
                            : agent::ReceiverChanges::keep;
    const auto base = load_base();
    plan = agent::plan_config(sides->own.manifest, sides->peers, base, policy, forced,
                              sides->own.unseen);
    const auto next = agent::next_base(sides->own.manifest, base, plan);
    // An unchanged base needs no words: the peer took it over with the last change.
    if (!plan.operations.empty() || next != base) done = send_change(**stream, plan, next, forced);
    if (done && next != base) done = save_base(next);
    if (done)
      (void)send_json(
          **stream, ConfigMessage::verdict,
          {{"in_sync", plan.agrees()}, {"kept", plan.kept}, {"conflicts", plan.conflicts}});
  }
  if (forced && done) {
    const std::lock_guard lock(state_mutex_);
    state_.conflicts.clear();
    plan.conflicts.clear();
  }
  note(done, plan);
  return done;
}

Status ConfigEngine::send_change(sys::MessageStream& stream, const agent::ConfigPlan& plan,
                                 const agent::ConfigManifest& base, bool forced) {
  if (!send_json(stream, ConfigMessage::begin,
                 {{"operations", to_json(plan.operations)}, {"forced", forced}}))
    return lost();
  if (Status sent = send_contents(stream, plan); !sent) return sent;
  if (!send_json(stream, ConfigMessage::commit, {{"base", to_json(base)}})) return lost();
  const ConfigRules now = rules();
  // Each path may be checked, applied, and applied again when that failed.
  const auto commands = static_cast<std::int64_t>(now.scope.paths.size()) * 3;
  const auto outcome =
      receive_json(stream, ConfigMessage::outcome, kConfigPatience + now.sync.timeout * commands);
  if (!outcome)
    return fail_with("the peer did not say what became of the change; it is asked again");
  refused_ = !outcome->value("ok", false);
  if (refused_) return fail_with(outcome->value("error", "the peer refused it"));
  if (plan.operations.empty()) return Ok{};
  log_.notice(
      "config-sent",
      "the peer took over " + std::to_string(plan.operations.size()) + " changes of configuration",
      {{"changes", plan.operations.size()}});
  return Ok{};
}

Status ConfigEngine::send_contents(sys::MessageStream& stream, const agent::ConfigPlan& plan) {
  std::vector<agent::ContentHash> sent;
  for (const auto& operation : plan.operations) {
    if (!operation.entry || operation.entry->kind == agent::ConfigEntry::Kind::directory) continue;
    const agent::ContentHash& hash = operation.entry->hash;
    if (std::ranges::find(sent, hash) != sent.end()) continue;
    sent.push_back(hash);
    const auto content = read_config_content(operation.path, operation.entry->kind);
    if (!content) return fail(content.error());
    std::string_view left = *content;
    do {
      std::vector<std::uint8_t> chunk(hash.begin(), hash.end());
      const auto part = left.substr(0, kContentChunk);
      chunk.insert(chunk.end(), part.begin(), part.end());
      left.remove_prefix(part.size());
      if (stream.send(static_cast<std::uint8_t>(ConfigMessage::content), Bytes(chunk),
                      kConfigPatience) != sys::MessageStream::Outcome::done)
        return lost();
    } while (!left.empty());
  }
  return Ok{};
}

void ConfigEngine::note(const Status& outcome, const agent::ConfigPlan& plan) {
  const std::lock_guard lock(state_mutex_);
  if (!outcome) {
    if (state_.error != outcome.error().message)
      log_.warning("config-not-synchronised", outcome.error().message);
    state_.error = outcome.error().message;
    state_.in_sync = false;
    if (refused_) ++state_.refused;
    return;
  }
  if (state_.kept != plan.kept)
    for (const auto& path : plan.kept)
      log_.warning("config-changed-on-backup",
                   path + " was changed on the backup and is left so (backup_changes: report)");
  for (const auto& path : plan.conflicts) {
    log_.warning("config-conflict", path +
                                        " was changed on both nodes; the primary's prevails, the "
                                        "other is kept beside it");
    if (state_.conflicts.size() < kMaxRemembered) state_.conflicts.push_back(path);
  }
  for (const auto& path : plan.reverted)
    log_.warning("config-reverted", path + " was changed on the backup and is put back");
  state_.known = true;
  state_.error.clear();
  state_.in_sync = plan.agrees();
  state_.kept = plan.kept;
  if (plan.operations.empty()) return;
  ++state_.changes;
  state_.last_change = sys::wall_clock_text();
}

Status ConfigEngine::tell_peer_of_changes() {
  auto stream = calls_.dial();
  if (!stream) return fail(stream.error());
  if (!send_json(**stream, ConfigMessage::changed, json::object())) return lost();
  return Ok{};
}

Status ConfigEngine::ask_peer_to_push() {
  auto stream = calls_.dial();
  if (!stream) return fail(stream.error());
  if (!send_json(**stream, ConfigMessage::push, json::object())) return lost();
  const auto outcome = receive_json(**stream, ConfigMessage::outcome, 10 * kConfigPatience);
  if (!outcome) return lost();
  if (outcome->value("ok", false)) return Ok{};
  return fail_with(outcome->value("error", "the peer refused"));
}

json ConfigEngine::checksums(const agent::ConfigManifest& manifest,
                             const ConfigRules& rules) const {
  json sums = json::object();
  for (const auto& path : rules.scope.paths) sums[path] = checksum_of(manifest, rules.scope, path);
  sums[""] = checksum_of(manifest, rules.scope, "");
  return sums;
}

json ConfigEngine::compare() {
  const std::unique_lock turn(turns_, kTurn);
  if (!turn) return {{"ok", false}, {"error", "a change of the configuration is under way"}};
  const ConfigRules now = rules();
  auto stream = calls_.dial();
  auto sides = stream ? ask_for_manifest(**stream) : Result<Sides>(fail(stream.error()));
  json reply = {{"ok", true}, {"paths", now.scope.paths}};
  reply["own"] = checksums(sides ? sides->own.manifest : look_locked().manifest, now);
  reply["peer"] = sides ? checksums(sides->peers, now) : json(nullptr);
  if (!sides) reply["peer_error"] = sides.error().message;
  return reply;
}

json ConfigEngine::differences() {
  const std::unique_lock turn(turns_, kTurn);
  if (!turn) return {{"ok", false}, {"error", "a change of the configuration is under way"}};
  auto stream = calls_.dial();
  auto sides = stream ? ask_for_manifest(**stream) : Result<Sides>(fail(stream.error()));
  if (!sides) return {{"ok", false}, {"error", sides.error().message}};
  const auto plan = agent::plan_config(sides->own.manifest, sides->peers, {},
                                       agent::ReceiverChanges::revert, true);
  json list = json::array();
  for (const auto& operation : plan.operations) {
    json row = {{"path", operation.path}};
    const auto describe = [](const std::optional<agent::ConfigEntry>& entry) -> json {
      if (!entry) return nullptr;
      return {{"kind", static_cast<int>(entry->kind)},
              {"mode", entry->mode},
              {"user", entry->user},
              {"group", entry->group},
              {"size", entry->size}};
    };
    row["own"] = describe(operation.entry);
    row["peer"] = describe(operation.found);
    if (operation.entry && operation.entry->size <= kMaxShownText)
      if (const auto text = read_config_content(operation.path, operation.entry->kind))
        row["own_text"] = *text;
    if (operation.found && operation.found->size <= kMaxShownText) {
      if (!send_json(**stream, ConfigMessage::read, {{"path", operation.path}})) break;
      const auto answer = receive_json(**stream, ConfigMessage::text, kConfigPatience);
      if (answer && answer->contains("text")) row["peer_text"] = (*answer)["text"];
    }
    list.push_back(std::move(row));
  }
  json reply = {{"ok", true}, {"differences", std::move(list)}};
  add_facts(**stream, reply);
  return reply;
}

json ConfigEngine::facts() {
  const std::unique_lock turn(turns_, kTurn);
  if (!turn) return {{"ok", false}, {"error", "a change of the configuration is under way"}};
  auto stream = calls_.dial();
  if (!stream) return {{"ok", false}, {"error", stream.error().message}};
  json reply = {{"ok", true}};
  add_facts(**stream, reply);
  return reply;
}

// Of a peer that does not know the question nothing is said.
void ConfigEngine::add_facts(sys::MessageStream& stream, json& reply) {
  const auto own = read_box_facts(rules().devices, change_.stop_flag());
  json list = json::array();
  const auto answer = send_json(stream, ConfigMessage::ask_facts, json::object())
                          ? receive_json(stream, ConfigMessage::facts, kFactsPatience)
                          : std::nullopt;
  if (!answer) {
    reply["facts_error"] = "the peer did not tell of its kernel and packages";
    return;
  }
  BoxFacts peer;
  for (const auto& [name, value] : answer->items())
    if (value.is_string()) peer[name] = value.get<std::string>();
  for (const auto& each : differing_facts(own, peer))
    list.push_back({{"name", each.name}, {"own", each.own}, {"peer", each.peer}});
  reply["facts"] = std::move(list);
}

}  // namespace hotpair::daemon
