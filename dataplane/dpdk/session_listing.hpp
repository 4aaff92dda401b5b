// The `sessions` command: filters, paging, and sessions as JSON for people and programs.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "dataplane/core/engine.hpp"

namespace hotpair::dpdk {

// Answers one request, {"count_only","protocol","address","port","state","cursor","limit"}, all
// optional. A page may be short, or empty, although "next" is not null: a request looks at a
// bounded part of the table.
nlohmann::json list_sessions(const dataplane::Engine& engine, const nlohmann::json& request);

}  // namespace hotpair::dpdk
