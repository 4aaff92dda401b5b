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
constexpr const char* kForce = "force";              // {"state": "primary" | "backup" | "none"}
constexpr const char* kMaintenance = "maintenance";  // {"on": bool}
constexpr const char* kReload = "reload";
// {"action": "status" | "switch", "back": bool}; a switch is answered when the peer has followed
constexpr const char* kPassword = "password";
// {"action": "checksum" | "diff" | "facts" | "push" | "pull"}; answered when it is done
constexpr const char* kConfig = "config";
// {"action": "diff" | "push" | "pull"}, of the ruleset in the kernel; answered when it is done
constexpr const char* kRuleset = "ruleset";
// to the data plane
constexpr const char* kSessions =
    "sessions";  // {"count_only", "protocol", "address", "port", "state", "cursor", "limit"}
constexpr const char* kVerify = "verify";  // compares the digests now; answered within 2 s
constexpr const char* kDataplaneStatus = "status";
}  // namespace command

// <run-dir>/hotpaird.peer: a Unix seqpacket socket for root alone. The request is one byte, the
// service (1: run a command at the peer); the answer "ok" with a connection to the peer's agent as
// a descriptor (SCM_RIGHTS), both ends proven, or a sentence that says why there is none.
constexpr const char* kPeerSocket = "hotpaird.peer";
constexpr unsigned char kPeerServiceExec = 1;

// What travels on such a connection: messages of a type and a payload (message_stream.hpp).
enum class PeerMessage : unsigned char {
  // To the peer. start: terminal u8 (0 or 1), rows u16, columns u16, then texts that each end with
  // a zero byte: TERM, and the words of the command; none: a login shell.
  start = 1,
  input = 2,   // for the command; empty: there is no more
  signal = 3,  // number u8, for the command and its group
  window = 4,  // rows u16, columns u16
  // From the peer.
  output = 16,
  errors = 17,
  ended = 18,    // signalled u8, exit status or signal number u8
  refused = 19,  // a sentence
};

}  // namespace hotpair::control
