// What the commands that run other programs need of the machine.
#pragma once

#include <string>

namespace hotpair::bench::kernel {

// The hotpair-dataplane beside the installed hotpair-bench, or of the build folder this one was
// built in; else the name, to be looked up.
std::string find_dataplane();

// A directory for configurations, sockets and logs, gone with this unless it is to be kept.
class Scratch {
 public:
  explicit Scratch(bool keep);
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  const std::string& path() const { return path_; }

 private:
  bool keep_;
  std::string path_;
};

// Where --json said: a file, - for standard output, nothing when empty. False when it failed.
bool write_report(const std::string& path, const std::string& json);

}  // namespace hotpair::bench::kernel
