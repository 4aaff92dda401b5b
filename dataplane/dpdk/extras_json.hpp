// What only some sessions have, as JSON for people and programs.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "dataplane/core/session.hpp"

namespace hotpair::dpdk {

// Adds a field for each of the extras that the session has, and none for the others.
void add_extras(nlohmann::json& out, const dataplane::Session& session);
std::string protocol_name(std::uint8_t number);  // "tcp", ...; the number when it has no name
// What its protocol's state is called; replied or unreplied where the protocol has none.
std::string state_name(const dataplane::Session& session);

}  // namespace hotpair::dpdk
