// A program with its three streams in our hands, on pipes or on a terminal of its own, in a session
// of its own. For whoever relays them; process.hpp is for programs that only have to end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::sys {

struct InteractiveRequest {
  std::vector<std::string> argv;         // argv[0]: a path, or a name that is looked up in $PATH
  std::vector<std::string> environment;  // "NAME=value": all of it
  bool terminal = false;
  std::uint16_t rows = 24, columns = 80;  // of the terminal
};

struct StartError : Error {
  StartError(Error error, int status = 1)  // NOLINT: implicit by design
      : Error(std::move(error)), exit_status(status) {}
  // What a shell would end with: 127 when there is no such program, 126 when it cannot be run.
  int exit_status;
};

class InteractiveProcess {
 public:
  static Result<std::unique_ptr<InteractiveProcess>, StartError> start(
      const InteractiveRequest& request);
  ~InteractiveProcess();  // kills its group when it still runs
  InteractiveProcess(const InteractiveProcess&) = delete;
  InteractiveProcess& operator=(const InteractiveProcess&) = delete;

  // Our ends, non-blocking. On a terminal `errors` is none, and `output` is the terminal too.
  FileDescriptor input, output, errors;

  int ended_fd() const { return pidfd_.get(); }  // readable: it has ended
  void signal(int number) const;                 // to its group
  void resize(std::uint16_t rows, std::uint16_t columns) const;
  struct End {
    bool signalled = false;
    int code = 0;  // exit status or signal number
  };
  End wait();  // once, after ended_fd() became readable

 private:
  InteractiveProcess() = default;
  Status open_terminal(const InteractiveRequest& request, std::string& name);

  pid_t pid_ = 0;  // 0: it was waited for
  FileDescriptor pidfd_;
};

}  // namespace hotpair::sys
