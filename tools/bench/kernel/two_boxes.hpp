// Two network namespaces and a cable between them: the least that sessions can be carried across.
// They have no names, and are gone with the processes in them. Needs root.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::bench::kernel {

class TwoBoxes {
 public:
  static constexpr const char* kDevice = "sync0";  // the cable's end in each
  static constexpr std::array<const char*, 2> kAddresses = {"192.0.2.1", "192.0.2.2"};

  static Result<TwoBoxes> make();
  // Sessions in the kernel's table of that box.
  std::uint64_t tracked(int box) const;
  Status run(int box, const std::vector<std::string>& command) const;  // to its end
  // Whether entries that are made in that box from now on tell listeners of what becomes of them.
  // A kernel asks for listeners in any of its namespaces (netlink_has_listeners()), not in the
  // entry's own: in two boxes on one kernel, both make events once one listens.
  void raise_events(int box, bool on) const;
  int fd(int box) const { return boxes_[static_cast<std::size_t>(box)].get(); }

 private:
  std::array<sys::FileDescriptor, 2> boxes_;
};

// The calling thread is in the box for as long as this lives.
class Inside {
 public:
  Inside(const TwoBoxes& boxes, int box);
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside();

 private:
  sys::FileDescriptor before_;
};

// A program in one of the boxes; ended with this. What it says goes to `log`.
class Program {
 public:
  static Result<Program> start(const TwoBoxes& boxes, int box, std::vector<std::string> command,
                               const std::string& log);
  Program(Program&& other) noexcept;
  Program& operator=(Program&&) = delete;
  ~Program();

  bool running();
  double cpu_seconds() const;  // user and system, of all its threads, so far

 private:
  explicit Program(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

}  // namespace hotpair::bench::kernel
