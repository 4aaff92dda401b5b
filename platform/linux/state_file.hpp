// Small files that must survive a power cut: written beside their place, synced, renamed over it,
// and the directory synced. A reader sees the old content or the new, never a part.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "platform/base/result.hpp"

namespace hotpair::sys {

// Blocks for as long as the disk takes. The message names the file and the command that mends it.
Status write_state_file(const std::string& path, std::string_view content, mode_t mode = 0600);

// None when there is no such file.
Result<std::optional<std::string>> read_state_file(const std::string& path,
                                                   std::size_t max_bytes = 64 * 1024);

}  // namespace hotpair::sys
