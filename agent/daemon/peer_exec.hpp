// One command that the peer's root runs here, over a connection whose other end has proven itself
// (peer_handshake.hpp): relays its streams, signals and end. The messages are described in
// control_schema.hpp. Runs in a thread of its own and ends with the command, the connection, or
// `stop`.
#pragma once

#include <string>

#include "platform/base/log.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::daemon {

// This node's own folders, which a command is told as HOTPAIR_RUN_DIR and HOTPAIR_STATE_DIR: where
// `hotpair` finds the daemons, and what it may keep.
struct Folders {
  std::string run_dir, state_dir;
};

// `stop` is readable once the agent ends.
void serve_peer_exec(sys::FileDescriptor socket, int stop, const Folders& folders, const Log& log);

}  // namespace hotpair::daemon
