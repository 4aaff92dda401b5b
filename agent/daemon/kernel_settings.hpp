// Kernel settings that hotpair changes, and what they were before: noted in a file of the run
// directory before the first change, so that also after a crash they can be put back.
//
// Used by one thread at a time; may block on the file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "platform/base/result.hpp"

namespace hotpair::daemon {

constexpr const char* kSettingsFile = "settings.json";  // in the run directory

class KernelSettings {
 public:
  struct Setting {
    std::string name;  // below /proc/sys
    std::string value;
  };

  // Takes over what an earlier run noted and did not put back.
  explicit KernelSettings(const std::string& run_dir);

  // Sets what differs, all of it; the first that could not be set is the error.
  Status set(const std::vector<Setting>& wanted);

  // Puts back what was there before, except where somebody has set another value since or the
  // device is gone; forgets all of it. Returns what could not be put back, for people.
  std::vector<std::string> restore();

 private:
  struct Changed {
    std::string name, before, set;
  };
  Status note() const;

  std::string path_;
  std::vector<Changed> changed_;
};

}  // namespace hotpair::daemon
