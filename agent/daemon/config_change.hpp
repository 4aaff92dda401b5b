// Carries out one change set on this box: all of it, or nothing.
//
//   staged (content verified) -> checked (declared commands, our own schema) -> journal with what
//   was there -> renamed into place -> applied (declared commands) -> journal gone
//
// What fails or hangs in the middle is undone from the journal, and so is what a crash left: at the
// next start. Blocks on disk and commands; one at a time.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "agent/core/config_sync.hpp"
#include "platform/base/log.hpp"
#include "platform/base/result.hpp"
#include "platform/config/config.hpp"

namespace hotpair::daemon {

constexpr std::string_view kTemplateSuffix = ".template";

struct ConfigRules {
  agent::ConfigScope scope;
  config::ConfigSync sync;
  std::string config_dir;                      // whose cluster.yaml has our own schema
  std::map<std::string, std::string> values;   // for templates
  std::map<std::string, std::string> devices;  // by the cluster's name of the interface
  // Paths of logical systems: as they are configured -> as they travel.
  std::map<std::string, std::string> parts;
};

class ConfigChange {
 public:
  // `directory`: ours alone, e.g. /var/lib/hotpair/config-sync.
  ConfigChange(std::string directory, Log log);

  // A command that runs is ended, and the change undone. Any thread; for good.
  void stop() { stopping_ = true; }
  bool stopping() const { return stopping_; }
  const std::atomic<bool>& stop_flag() const { return stopping_; }

  // Undoes what a crash left half done.
  void recover();

  // The staging of one change set's contents, by their hashes.
  Status begin();
  Status append(const agent::ContentHash& hash, std::string_view chunk);

  // `present`: what is there now, as scanned. Says what failed and that all was put back.
  Status carry_out(const std::vector<agent::ConfigOperation>& operations,
                   const agent::ConfigManifest& present, const ConfigRules& rules);

 private:
  struct Undo {
    std::string path, saved;  // saved: where the content before is; empty: there was nothing
    agent::ConfigEntry entry;
  };
  std::string staged(const agent::ContentHash& hash) const;
  Status verify(const std::vector<agent::ConfigOperation>& operations,
                const agent::ConfigManifest& present, const ConfigRules& rules) const;
  Status check(const std::vector<agent::ConfigOperation>& operations, const ConfigRules& rules);
  Status check_cluster_file(const agent::ConfigOperation& operation, const ConfigRules& rules);
  Status add_rendered(std::vector<agent::ConfigOperation>& operations, const ConfigRules& rules);
  Status save(const std::vector<agent::ConfigOperation>& operations);
  Status swap(const std::vector<agent::ConfigOperation>& operations);
  Status apply(const std::vector<agent::ConfigOperation>& operations, const ConfigRules& rules);
  Status undo();
  Status write_journal() const;

  std::string directory_;
  Log log_;
  std::vector<Undo> undo_;
  std::atomic<bool> stopping_{false};
};

// What the configuration asks for on this node. A path P of `substitute` travels as P.template, and
// so do its commands.
ConfigRules make_config_rules(const config::Config& config, const std::string& config_dir);

// Those of scope.paths that the operations touch, in their order.
std::vector<std::string> touched_paths(const std::vector<agent::ConfigOperation>& operations,
                                       const ConfigRules& rules);

}  // namespace hotpair::daemon
