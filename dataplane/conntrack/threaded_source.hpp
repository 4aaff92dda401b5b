// A source whose kernel is read by a thread of its own: while the caller does other things, events
// are taken from the socket, parsed and put into a ring, in the order of the kernel; a dump is read
// there too, so that a walk over a large table keeps nobody waiting. What the ring has no room for
// stays in the kernel's receive buffer.
//
// The caller's side is one thread, as with any source; its event_fd() is readable when something
// is in the ring.
#pragma once

#include <memory>
#include <optional>

#include "dataplane/conntrack/source.hpp"

namespace hotpair::conntrack {

// `on_its_cpu`: an error when the thread may not run on `cpu`; it is where the system likes then.
std::unique_ptr<Source> in_a_thread(std::unique_ptr<Source> source, std::optional<unsigned> cpu,
                                    Status& on_its_cpu);

}  // namespace hotpair::conntrack
