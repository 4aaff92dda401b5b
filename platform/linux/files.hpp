// Whole files, bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

#include "platform/base/result.hpp"

namespace hotpair::sys {

struct FileContent {
  std::string text;
  mode_t mode = 0;  // permission bits
  uid_t owner = 0;
  std::int64_t changed_ns = 0;  // since 1970: content, rights or name, whichever came last
};

enum class ReadFailure : std::uint8_t { missing, not_permitted, not_regular, too_big, io };
struct ReadError {
  ReadFailure kind = ReadFailure::io;
  std::string message;  // names the file and what would mend it
};

// A regular file (or one of /proc, /sys) of at most `max_bytes`.
Result<FileContent, ReadError> read_file(const std::string& path, std::size_t max_bytes);

}  // namespace hotpair::sys
