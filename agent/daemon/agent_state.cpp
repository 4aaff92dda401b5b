#include "agent/daemon/agent_state.hpp"

#include <nlohmann/json.hpp>

#include "platform/linux/state_file.hpp"

namespace hotpair::daemon {

using nlohmann::json;

std::string state_text(const agent::PersistedState& state) {
  return json{{"epoch", state.epoch.number}, {"forced", agent::to_string(state.forced)}}.dump() +
         "\n";
}

Result<agent::PersistedState> parse_state(std::string_view text) {
  const json read = json::parse(text, nullptr, false);
  if (!read.is_object()) return fail_with("it is not a JSON object");
  const auto epoch = read.find("epoch");
  const auto forced = read.find("forced");
  if (epoch == read.end() || !epoch->is_number_unsigned()) return fail_with("it names no epoch");
  agent::PersistedState state;
  state.epoch.number = epoch->get<std::uint64_t>();
  for (const auto known : {agent::Forced::maintenance, agent::Forced::backup, agent::Forced::none,
                           agent::Forced::primary})
    if (forced != read.end() && forced->is_string() &&
        forced->get_ref<const std::string&>() == agent::to_string(known)) {
      state.forced = known;
      return state;
    }
  return fail_with("it names no forced state");
}

Result<agent::PersistedState> read_state(const std::string& state_dir) {
  const std::string path = state_dir + "/" + kStateFile;
  auto text = sys::read_state_file(path);
  if (!text) return Failure<Error>{text.error()};
  if (!text->has_value()) return agent::PersistedState{};
  auto state = parse_state(**text);
  if (!state)
    return fail_with(path + " is damaged: " + state.error().message +
                     "; if the other node is running, 'mv " + path + " " + path +
                     ".damaged' and start again: its epoch is learned from there");
  return state;
}

}  // namespace hotpair::daemon
