// What carries sessions from one box's kernel to the other's.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/bench/kernel/two_boxes.hpp"

namespace hotpair::bench::kernel {

class Replicator {
 public:
  virtual ~Replicator() = default;
  // Called every few milliseconds: whatever it needs to go on. The error ends the measurement.
  virtual Status work() = 0;
  virtual bool ready() = 0;                       // what happens from now on is carried
  virtual double cpu_seconds(int end) const = 0;  // so far; 0: the primary, 1: the backup
  double cpu_seconds() const { return cpu_seconds(0) + cpu_seconds(1); }
};

// How hotpair's data planes are run.
struct HotpairSetup {
  std::string program;  // hotpair-dataplane
  // On two kernels the backup's entries make events only for a listener of the backup's own, which
  // hotpair has not and conntrackd has: they make none, unless they are to, for the primary's.
  bool one_kernel = false;
  bool threads = false;      // that read and write the kernel's tables, beside each lcore
  std::string from = "new";  // session_pickup.from
};
// The options by which a command lets its user choose what it does not choose itself.
void add_hotpair_options(CLI::App& command, HotpairSetup& setup);

// `directory`: for files of theirs; it is the caller's to remove.
Result<std::unique_ptr<Replicator>> start_hotpair(const TwoBoxes& boxes,
                                                  const std::string& directory,
                                                  const HotpairSetup& setup);
Result<std::unique_ptr<Replicator>> start_conntrackd(const TwoBoxes& boxes,
                                                     const std::string& directory);

}  // namespace hotpair::bench::kernel
