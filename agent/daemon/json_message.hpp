// JSON bodies of the messages between the two agents. Who speaks a protocol gives its own types and
// times.
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "platform/linux/message_stream.hpp"

namespace hotpair::daemon {

nlohmann::json parse_json_body(const sys::Message& message);  // an object, empty when malformed
// False: the connection is of no further use.
bool send_json_message(sys::MessageStream& stream, std::uint8_t type, const nlohmann::json& body,
                       Duration timeout);
// None: something else came, or nothing in time.
std::optional<nlohmann::json> receive_json_message(sys::MessageStream& stream, std::uint8_t type,
                                                   Duration timeout);

}  // namespace hotpair::daemon
