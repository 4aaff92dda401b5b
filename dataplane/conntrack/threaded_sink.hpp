// A sink that writes into the kernel from a thread of its own: while a batch is written, the caller
// prepares what follows. A flush still returns when everything queued is in the kernel or accounted
// for, and callbacks are called from it or from an operation, in the caller's thread.
#pragma once

#include <memory>
#include <optional>

#include "dataplane/conntrack/sink.hpp"

namespace hotpair::conntrack {

// `on_its_cpu`: an error when the thread may not run on `cpu`; it is where the system likes then.
std::unique_ptr<Sink> in_a_thread(std::unique_ptr<Sink> sink, std::optional<unsigned> cpu,
                                  Status& on_its_cpu);

}  // namespace hotpair::conntrack
