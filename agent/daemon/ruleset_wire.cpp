#include "agent/daemon/ruleset_wire.hpp"

#include "agent/daemon/json_message.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxText = 2000;

std::string text_of(const json& in, const char* key) {
  const auto found = in.is_object() ? in.find(key) : in.end();
  if (found == in.end() || !found->is_string()) return {};
  return found->get<std::string>().substr(0, kMaxText);
}

bool flag_of(const json& in, const char* key) {
  const auto found = in.is_object() ? in.find(key) : in.end();
  return found != in.end() && found->is_boolean() && found->get<bool>();
}

std::uint64_t number_of(const json& in, const char* key) {
  const auto found = in.is_object() ? in.find(key) : in.end();
  return found != in.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

}  // namespace

json to_json(const std::optional<OwnAgreement>& agreement) {
  if (!agreement) return nullptr;
  return {{"own", agreement->own}, {"peer", agreement->peer}};
}

std::optional<OwnAgreement> own_agreement_from(const json& in) {
  OwnAgreement agreement{text_of(in, "own"), text_of(in, "peer")};
  if (agreement.own.empty() || agreement.peer.empty()) return std::nullopt;
  return agreement;
}

json to_json(const RulesetHave& have) {
  return {{"checksum", have.checksum},
          {"empty", have.empty},
          {"agreement", to_json(have.agreement)},
          {"refuses", have.refuses}};
}

RulesetHave have_from(const json& in) {
  RulesetHave have;
  have.checksum = text_of(in, "checksum");
  have.empty = flag_of(in, "empty");
  if (in.is_object() && in.contains("agreement"))
    have.agreement = own_agreement_from(in["agreement"]);
  have.refuses = text_of(in, "refuses");
  return have;
}

json to_json(const RulesetCommit& commit) {
  return {{"checksum", commit.checksum},
          {"keep", commit.keep},
          {"forced", commit.forced},
          {"why", commit.why}};
}

RulesetCommit commit_from(const json& in) {
  return {text_of(in, "checksum"), flag_of(in, "keep"), flag_of(in, "forced"), text_of(in, "why")};
}

json to_json(const RulesetOutcome& outcome) {
  return {{"ok", outcome.ok},
          {"error", outcome.error},
          {"checksum", outcome.checksum},
          {"elements", outcome.elements},
          {"digest", outcome.digest},
          {"kept", outcome.kept}};
}

RulesetOutcome outcome_from(const json& in) {
  return {flag_of(in, "ok"),         text_of(in, "error"),    text_of(in, "checksum"),
          number_of(in, "elements"), number_of(in, "digest"), text_of(in, "kept")};
}

json to_json(const RulesetNews& news) {
  return {{"in_sync", news.in_sync},
          {"kept", news.kept},
          {"conflict", news.conflict},
          {"checksum", news.checksum},
          {"error", news.error}};
}

RulesetNews news_from(const json& in) {
  return {flag_of(in, "in_sync"), flag_of(in, "kept"), flag_of(in, "conflict"),
          text_of(in, "checksum"), text_of(in, "error")};
}

json body_of(const sys::Message& message) {
  return parse_json_body(message);
}

bool say(sys::MessageStream& stream, RulesetMessage type, const json& body) {
  return send_json_message(stream, static_cast<std::uint8_t>(type), body, kRulesetPatience);
}

std::optional<json> hear(sys::MessageStream& stream, RulesetMessage type, Duration timeout) {
  return receive_json_message(stream, static_cast<std::uint8_t>(type), timeout);
}

}  // namespace hotpair::daemon
