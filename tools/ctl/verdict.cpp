#include "tools/ctl/json_access.hpp"
#include "tools/ctl/status_view.hpp"

namespace hotpair::ctl {
namespace {

using Json = nlohmann::json;

std::string name_of(const Json& node) {
  const std::string host = text(node, "hostname");
  if (!host.empty()) return host;
  const std::uint64_t chassis = count(node, "chassis_id");
  return chassis ? "chassis " + std::to_string(chassis) : "the peer";
}

std::string primary_part(const Json& node, const Json& status) {
  std::string part =
      name_of(node) + " is PRIMARY (epoch " + std::to_string(count(status, "epoch")) + ")";
  const std::string since = text(node, "role_since");
  if (!since.empty()) part += " since " + spoken_time(since);
  if (auto seconds = number(node, "role_seconds"))
    part += ", " + spoken_duration(*seconds) + " ago";
  return part;
}

Verdict with_peer(const Json& primary, const Json& other, const Json& status) {
  const std::string role = text(other, "role");
  const std::string start = primary_part(primary, status) + "; " + name_of(other) + " is ";
  if (role != "backup")
    return {start + role + " and cannot take over: " + text(other, "reason"), Tone::bad};
  if (!flag(status, "session_pickup"))
    return {start + "backup; sessions are not kept (session_pickup is off)", Tone::warning};
  if (flag(status, "in_sync")) return {start + "backup, in sync", Tone::good};
  return {start + "backup, NOT IN SYNC yet: a takeover now would lose connections", Tone::warning};
}

Verdict alone(const Json& node, const Json& peer, const Json& status) {
  if (text(node, "role") != "primary")
    return {"NO PRIMARY is heard: " + name_of(node) + " is " + text(node, "role") + ": " +
                text(node, "reason"),
            Tone::bad};
  std::string why = "no peer was heard yet";
  if (peer.is_object()) {
    why = name_of(peer) + " is not heard";
    if (auto ms = number(peer, "last_heard_ms")) why += " for " + spoken_duration(*ms / 1e3);
  }
  return {primary_part(node, status) + "; " + why + ": there is NO BACKUP", Tone::bad};
}

// The winner is a chassis number; a person knows it by its name.
std::string winner_name(const Json& status, const Json& election) {
  for (const char* key : {"node", "peer"}) {
    const Json& node = child(status, key);
    if (node.is_object() && count(node, "chassis_id") == count(election, "winner"))
      return name_of(node);
  }
  const std::string winner = text(election, "winner");
  return count(election, "winner") ? "chassis " + winner : winner;
}

}  // namespace

Verdict verdict(const Json& status) {
  const Json& node = child(status, "node");
  const Json& peer = child(status, "peer");
  if (flag(status, "dual_primary"))
    return {"BOTH NODES ARE PRIMARY: " + name_of(node) + " and " + name_of(peer) +
                "; the election settles it",
            Tone::bad};
  if (!peer.is_object() || !flag(peer, "alive")) return alone(node, peer, status);
  if (text(node, "role") == "primary") return with_peer(node, peer, status);
  if (text(peer, "role") == "primary") return with_peer(peer, node, status);
  return {"NO PRIMARY: " + name_of(node) + " is " + text(node, "role") + ", " + name_of(peer) +
              " is " + text(peer, "role"),
          Tone::bad};
}

std::string spoken_values(const Json& election) {
  const std::string winner = text(election, "winner_value");
  const std::string loser = text(election, "loser_value");
  if (winner.empty() && loser.empty()) return "";
  if (text(election, "criterion") == "incumbency") return "it " + winner + ", the other " + loser;
  return winner + " against " + loser;
}

std::string election_sentence(const Json& status) {
  const Json& election = child(status, "election");
  if (!election.is_object()) return "";
  const std::string criterion = text(election, "criterion");
  std::string sentence = winner_name(status, election) + " wins the election by " + criterion;
  const std::string values = spoken_values(election);
  return values.empty() ? sentence : sentence + " (" + values + ")";
}

}  // namespace hotpair::ctl
