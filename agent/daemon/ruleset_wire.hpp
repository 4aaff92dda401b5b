// What the two agents say to each other about the ruleset in their kernels and the elements of
// sets, over a proven connection (peer_handshake.hpp, service 5): messages of a type and a payload
// (WIRE.md). The ruleset is text, elements are as core/element_wire.hpp has them, the rest is JSON.
// What is not there or of another type reads as empty.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/core/element_wire.hpp"
#include "agent/core/ruleset_plan.hpp"
#include "platform/linux/message_stream.hpp"

namespace hotpair::daemon {

enum class RulesetMessage : std::uint8_t {
  ask = 1,
  have,
  text,
  commit,
  outcome,
  agree,
  elements,
  verdict,
  push,
  read,
};
constexpr std::size_t kMaxRulesetMessage = agent::kMaxRulesetText;
constexpr Duration kRulesetPatience = 15s;  // for an answer that needs no long work

// A node's agreement as it is kept: its own checksum, and the peer's.
struct OwnAgreement {
  std::string own, peer;
  friend bool operator==(const OwnAgreement&, const OwnAgreement&) = default;
};
nlohmann::json to_json(const std::optional<OwnAgreement>& agreement);
std::optional<OwnAgreement> own_agreement_from(const nlohmann::json& json);

struct RulesetHave {
  std::string checksum;
  bool empty = false;
  std::optional<OwnAgreement> agreement;
  std::string refuses;  // why it takes no ruleset over
  friend bool operator==(const RulesetHave&, const RulesetHave&) = default;
};
nlohmann::json to_json(const RulesetHave& have);
RulesetHave have_from(const nlohmann::json& json);

struct RulesetCommit {
  std::string checksum;  // of the text
  bool keep = false;     // what the receiver has is kept in a file
  bool forced = false;
  std::string why;  // for its log
  friend bool operator==(const RulesetCommit&, const RulesetCommit&) = default;
};
nlohmann::json to_json(const RulesetCommit& commit);
RulesetCommit commit_from(const nlohmann::json& json);

struct RulesetOutcome {
  bool ok = false;
  std::string error;
  std::string checksum;        // of a ruleset: as the receiver's kernel has it now
  std::uint64_t elements = 0;  // of a set: as told so far
  std::uint64_t digest = 0;    // of these
  std::string kept;            // the file on the receiver with the ruleset that it had
  friend bool operator==(const RulesetOutcome&, const RulesetOutcome&) = default;
};
nlohmann::json to_json(const RulesetOutcome& outcome);
RulesetOutcome outcome_from(const nlohmann::json& json);

struct RulesetNews {  // a verdict
  bool in_sync = false, kept = false, conflict = false;
  std::string checksum;  // the sender's
  std::string error;
  friend bool operator==(const RulesetNews&, const RulesetNews&) = default;
};
nlohmann::json to_json(const RulesetNews& news);
RulesetNews news_from(const nlohmann::json& json);

nlohmann::json body_of(const sys::Message& message);  // an object, empty when malformed
// False: the connection is of no further use.
bool say(sys::MessageStream& stream, RulesetMessage type, const nlohmann::json& body);
// None: something else came, or nothing in time.
std::optional<nlohmann::json> hear(sys::MessageStream& stream, RulesetMessage type,
                                   Duration timeout = kRulesetPatience);

}  // namespace hotpair::daemon
