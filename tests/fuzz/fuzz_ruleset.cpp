// What a peer says of its ruleset and its sets: {which u8, content}. What is understood is said
// again in the same way, and a ruleset that is read makes a transition to itself of nothing.
#include "agent/core/element_wire.hpp"
#include "agent/daemon/ruleset_wire.hpp"
#include "platform/base/assert.hpp"
#include "platform/linux/nftables_elements.hpp"

using namespace hotpair;

namespace {

void elements(Bytes payload) {
  const auto message = agent::decode_elements(payload);
  if (!message) return;
  for (const auto& key : message->change.removed) (void)sys::is_well_formed_key(key);
  for (const auto& each : message->change.set) {
    const sys::NftElement element{each.key, each.value, each.state, each.timeout_ms, each.left_ms};
    if (!sys::is_well_formed(element)) continue;
    (void)sys::element_attributes(element, true);
    (void)sys::element_attributes(element, false);
  }
  auto again = agent::encode_elements(message->set, message->whole, message->change);
  if (again.size() != 1) return;
  const auto decoded = agent::decode_elements(again[0]);
  HOTPAIR_ASSERT(decoded && decoded->change.removed == message->change.removed &&
                 decoded->change.set == message->change.set);
}

void ruleset(std::string_view text) {
  const auto parsed = agent::parse_ruleset(text, {{"", "", "blocklist"}});
  if (!parsed) return;
  (void)agent::sets_with_elements(*parsed, {});
  HOTPAIR_ASSERT(agent::transition(*parsed, *parsed).script.empty());
  (void)agent::transition({}, *parsed);
  (void)agent::parse_ruleset(agent::ruleset_text(*parsed), {});
}

void messages(std::string_view text) {
  const auto body = nlohmann::json::parse(text, nullptr, false);
  const auto have = daemon::have_from(body);
  HOTPAIR_ASSERT(daemon::have_from(daemon::to_json(have)) == have);
  const auto commit = daemon::commit_from(body);
  HOTPAIR_ASSERT(daemon::commit_from(daemon::to_json(commit)) == commit);
  const auto outcome = daemon::outcome_from(body);
  HOTPAIR_ASSERT(daemon::outcome_from(daemon::to_json(outcome)) == outcome);
  const auto news = daemon::news_from(body);
  HOTPAIR_ASSERT(daemon::news_from(daemon::to_json(news)) == news);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes payload = Bytes(data, size).subspan(1);
  const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
  switch (data[0] % 3) {
    case 0:
      elements(payload);
      break;
    case 1:
      ruleset(text);
      break;
    default:
      messages(text);
  }
  return 0;
}
