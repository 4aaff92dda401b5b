// JSON bodies of the messages between the two agents, where who speaks a protocol gives its own
// types and times; and what is common to answers of people's questions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "platform/base/result.hpp"
#include "platform/linux/message_stream.hpp"

namespace hotpair::daemon {

nlohmann::json parse_json_body(const sys::Message& message);  // an object, empty when malformed
// False: the connection is of no further use.
bool send_json_message(sys::MessageStream& stream, std::uint8_t type, const nlohmann::json& body,
                       Duration timeout);
// None: something else came, or nothing in time.
std::optional<nlohmann::json> receive_json_message(sys::MessageStream& stream, std::uint8_t type,
                                                   Duration timeout);

// {ok: true, message} or {ok: false, error}.
nlohmann::json outcome_json(const Status& done, std::string_view message = {});
// A word of a request; empty: it is not there, or something else.
std::string word_of(const nlohmann::json& request, const char* name);

}  // namespace hotpair::daemon
