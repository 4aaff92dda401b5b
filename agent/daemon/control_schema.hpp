// The control sockets' protocol, the one header that `hotpair` shares with the daemons.
//
// Both daemons listen on a Unix stream socket in the run directory. A request is one line of JSON:
//   {"command": "status", ...arguments}
// and the answer one line: {"ok": true, ...} or {"ok": false, "error": "a sentence"}. A connection
// may carry many requests in turn. Requests over kMaxRequest bytes, or not JSON, are answered with
// an error and the connection closed. Long lists (sessions) come in pages with a "next" cursor.
#pragma once

#include <cstddef>

namespace hotpair::control {

constexpr const char* kAgentSocket = "hotpaird.control";
constexpr const char* kDataplaneSocket = "hotpair-dataplane.control";
constexpr std::size_t kMaxRequest = 64 * 1024;
constexpr int kMaxConnections = 32;

namespace command {  // to the agent
constexpr const char* kStatus = "status";
constexpr const char* kWhy = "why";
constexpr const char* kHistory = "history";    // {"limit": n}
constexpr const char* kFailover = "failover";  // {"force": bool, "dry_run": bool}; answered when
                                               // the role has moved or was refused
// {"assumptions": [{"kind", "node", "name", "good", "slot", "state", "seconds"}, ...]}
constexpr const char* kWhatIf = "what_if";
constexpr const char* kForce = "force";  // {"state": "primary" | "backup" | "none"}
constexpr const char* kReload = "reload";
// {"action": "status" | "switch", "back": bool}; a switch is answered when the peer has followed
constexpr const char* kPassword = "password";
// to the data plane
constexpr const char* kSessions =
    "sessions";  // {"count_only", "protocol", "address", "port", "state", "cursor", "limit"}
constexpr const char* kVerify = "verify";  // compares the digests now; answered within 2 s
constexpr const char* kDataplaneStatus = "status";
}  // namespace command

}  // namespace hotpair::control
