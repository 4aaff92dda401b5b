// What the two agents say to each other about the configuration, over a proven connection
// (peer_handshake.hpp): messages of a type and a payload. Everything but content is JSON.
//
//   asks     1 ask_manifest {}                          serves   2 manifest {entries, role,
//   problems} asks     3 begin {operations, forced} asks     4 content: hash (32), bytes; as often
//   as needed asks     5 commit {base}                            serves   6 outcome {ok, error}
//   asks     7 verdict {in_sync, kept, conflicts}       what the round came to, for its status
//   asks     8 changed {}                               my files changed: begin a round
//   asks     9 push {}                                  make yours prevail here; answered by
//   outcome asks    10 read {path}                              serves  11 text {path, text, found}
//   asks    12 ask_facts {}                             serves  13 facts {name: value},
//   box_facts.hpp
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "agent/core/config_sync.hpp"
#include "platform/linux/message_stream.hpp"

namespace hotpair::daemon {

enum class ConfigMessage : std::uint8_t {
  ask_manifest = 1,
  manifest,
  begin,
  content,
  commit,
  outcome,
  verdict,
  changed,
  push,
  read,
  text,
  ask_facts,
  facts,
};
constexpr std::size_t kMaxConfigMessage = 16u << 20;  // a manifest of kMaxConfigFiles entries
constexpr std::size_t kContentChunk = 256u << 10;
constexpr Duration kConfigPatience = 30s;  // for one message; commands may take their own time more

nlohmann::json to_json(const agent::ConfigManifest& manifest);
nlohmann::json to_json(const std::vector<agent::ConfigOperation>& operations);
// None: it is malformed.
std::optional<agent::ConfigManifest> manifest_from(const nlohmann::json& json);
std::optional<std::vector<agent::ConfigOperation>> operations_from(const nlohmann::json& json);

// False: the connection is of no further use.
bool send_json(sys::MessageStream& stream, ConfigMessage type, const nlohmann::json& body);
// A message of that type whose payload is a JSON object; none: something else came, or nothing.
std::optional<nlohmann::json> receive_json(sys::MessageStream& stream, ConfigMessage type,
                                           Duration timeout);
nlohmann::json parse_body(const sys::Message& message);  // an object, empty when malformed

}  // namespace hotpair::daemon
