// Runs one declared command to its end, for threads that may wait.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"

namespace hotpair::daemon {

// Fails with what it printed when it does not exit with 0 in time; its whole group is then
// killed, as it is when `stopping` becomes true.
Status run_command_to_end(std::vector<std::string> argv, Duration timeout,
                          const std::atomic<bool>& stopping);

// What it printed, whatever its exit status; fails when it could not be run to its end.
Result<std::string> output_of_command(std::vector<std::string> argv, Duration timeout,
                                      const std::atomic<bool>& stopping);

// What it printed; fails with that when it does not exit with 0, or prints more than `most`.
Result<std::string> listing_of_command(std::vector<std::string> argv, Duration timeout,
                                       std::size_t most, const std::atomic<bool>& stopping);

}  // namespace hotpair::daemon
