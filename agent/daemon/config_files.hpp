// The files of the configuration sync on this box: found, hashed, read. Links are never followed,
// neither as files nor as directories on the way. Blocks on the disk; one thread at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/core/config_sync.hpp"
#include "platform/base/result.hpp"

namespace hotpair::daemon {

constexpr std::size_t kMaxConfigFiles = 20'000;
constexpr std::uint64_t kMaxConfigFile = 64ull << 20, kMaxConfigTotal = 256ull << 20;

struct ConfigScan {
  agent::ConfigManifest manifest;
  std::vector<std::string> problems;  // what could not be taken in, and why
  std::vector<std::string> unseen;    // its path; of a directory: what is in it; "/": more
  std::uint64_t bytes = 0;
};

class ConfigFiles {
 public:
  // Hashes what changed since the last scan.
  ConfigScan scan(const agent::ConfigScope& scope);

 private:
  struct Known {  // a file that has not changed in any of these has not changed
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;
    agent::ContentHash hash{};
    bool unchanged(const Known& now) const {
      return device == now.device && inode == now.inode && size == now.size &&
             modified_ns == now.modified_ns && changed_ns == now.changed_ns;
    }
  };
  // `depth`: how many levels of directories may follow.
  void visit(const agent::ConfigScope& scope, const std::string& path, int depth, ConfigScan& out);
  static void leave_out(const std::string& path, std::string why, ConfigScan& out);
  void visit_directory(const agent::ConfigScope& scope, const std::string& path, int depth,
                       ConfigScan& out);
  void take_file(const std::string& path, const Known& now, agent::ConfigEntry entry,
                 ConfigScan& out);

  std::map<std::string, Known> known_, seen_;
};

// The whole content of a file, or the target of a link.
Result<std::string> read_config_content(const std::string& path, agent::ConfigEntry::Kind kind);
agent::ContentHash hash_of(std::string_view content);
std::string hex_of(const agent::ContentHash& hash);
std::optional<agent::ContentHash> hash_from_hex(std::string_view hex);

}  // namespace hotpair::daemon
