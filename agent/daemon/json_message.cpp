#include "agent/daemon/json_message.hpp"

namespace hotpair::daemon {

using nlohmann::json;

json parse_json_body(const sys::Message& message) {
  json body = json::parse(message.text(), nullptr, false);
  return body.is_object() ? body : json::object();
}

bool send_json_message(sys::MessageStream& stream, std::uint8_t type, const json& body,
                       Duration timeout) {
  return stream.send(type, body.dump(-1, ' ', false, json::error_handler_t::replace), timeout) ==
         sys::MessageStream::Outcome::done;
}

std::optional<json> receive_json_message(sys::MessageStream& stream, std::uint8_t type,
                                         Duration timeout) {
  sys::Message message;
  if (stream.receive(message, timeout) != sys::MessageStream::Outcome::done || message.type != type)
    return std::nullopt;
  return parse_json_body(message);
}

json outcome_json(const Status& done, std::string_view message) {
  if (!done) return {{"ok", false}, {"error", done.error().message}};
  json outcome = {{"ok", true}};
  if (!message.empty()) outcome["message"] = message;
  return outcome;
}

std::string word_of(const json& request, const char* name) {
  const auto found = request.find(name);
  return found != request.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace hotpair::daemon
