// The asking side of a LineServer: blocking, with a timeout, for command lines and tools.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::sys {

class LineClient {
 public:
  static Result<LineClient> connect(const std::string& path);

  // Of the process that listens there, as seen from here.
  std::optional<pid_t> server_pid() const;

  // Sends one line and waits for one line. After an error the client is of no further use.
  Result<std::string> request(std::string_view line, Duration timeout,
                              std::size_t max_answer = 16 * 1024 * 1024);

 private:
  LineClient(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  FileDescriptor fd_;
  std::string path_;
  std::string buffer_;
};

}  // namespace hotpair::sys
