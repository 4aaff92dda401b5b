// One command that the peer's root runs here, over a connection whose other end has proven itself
// (peer_handshake.hpp): relays its streams, signals and end. The messages are described in
// control_schema.hpp. Runs in a thread of its own and ends with the command, the connection, or
// `stop`.
#pragma once

#include <string>

#include "platform/base/log.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::daemon {

// `stop` is readable once the agent ends.
void serve_peer_exec(sys::FileDescriptor socket, int stop, const Log& log);

}  // namespace hotpair::daemon
