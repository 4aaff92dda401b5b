// errno as a sentence for people.
#pragma once

#include <string>

#include "platform/base/result.hpp"

namespace hotpair::sys {

// "No such file or directory"; thread-safe.
std::string errno_text(int error);

// "<what>: <errno text>", followed by what would mend it where that follows from the error alone
// (not permitted, disk full, too many open files).
Failure<Error> fail_errno(const std::string& what, int error);

}  // namespace hotpair::sys
