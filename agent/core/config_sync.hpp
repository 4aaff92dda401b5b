// Configuration sync, the part that decides: which files belong to it, how two nodes' files differ
// since they last agreed, and what is to be done about each. Values in, actions out; whoever reads,
// hashes and writes files is the shell (agent/daemon/config_*).
//
// Three manifests meet: the sender's, the receiver's, and the base, which is what both had when
// they last agreed. A path that only one side changed since the base has an owner; one that both
// changed has a conflict, and one without a base counts as changed by both.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hotpair::agent {

using ContentHash = std::array<std::uint8_t, 32>;  // SHA-256 of the content, or of a link's target

struct ConfigEntry {
  enum class Kind : std::uint8_t { file = 1, link = 2, directory = 3 };
  Kind kind = Kind::file;
  std::uint32_t mode = 0;  // permission bits, 0-07777
  std::uint32_t user = 0, group = 0;
  std::uint64_t size = 0;  // directories: 0
  ContentHash hash{};      // directories: zero
  friend bool operator==(const ConfigEntry&, const ConfigEntry&) = default;
};
using ConfigManifest = std::map<std::string, ConfigEntry>;  // by absolute path

// What belongs to the sync; see config::ConfigSync.
struct ConfigScope {
  std::vector<std::string> paths;   // files, directories, globs
  std::vector<std::string> ignore;  // globs
  std::vector<std::string> never;   // exact paths: node.yaml, the password file
};
// The one of `paths` that `path` belongs to; none: it does not travel. What this program leaves
// beside a file (kBesideMark in its name) never does, nor does a path with '..' in it.
std::optional<std::string> scope_of(const ConfigScope& scope, std::string_view path);
constexpr std::string_view kBesideMark = ".hotpair-";

// As glob(7): * and ? and [a-z], none of which matches a slash; ** matches everything.
bool glob_matches(std::string_view pattern, std::string_view text);
bool is_glob(std::string_view pattern);
// The deepest directory that contains every match, for whoever has to look for them.
std::string glob_root(std::string_view pattern);

// What becomes of a change that only the receiver made.
enum class ReceiverChanges : std::uint8_t { keep, revert };

struct ConfigOperation {
  std::string path;
  std::optional<ConfigEntry> entry;  // what it becomes; none: it is removed
  std::optional<ConfigEntry> found;  // what the receiver is thought to have; else nothing is done
  bool keep_beside = false;          // the receiver's version is not lost
  friend bool operator==(const ConfigOperation&, const ConfigOperation&) = default;
};

struct ConfigPlan {
  std::vector<ConfigOperation> operations;  // in an order in which they can be carried out
  std::vector<std::string> kept;            // changed by the receiver alone and left so
  std::vector<std::string> reverted;        // changed by the receiver alone and put back
  std::vector<std::string> conflicts;       // changed by both; the sender's prevails
  std::vector<std::string> unseen;          // not judged: the sender cannot tell what it has there
  bool agrees() const { return kept.empty() && unseen.empty(); }  // once it is carried out
  bool in_sync() const { return operations.empty() && agrees(); }
};

// `forced`: an operator's word; the sender's version prevails everywhere, and what it overwrites is
// kept beside. `unseen`: paths that the sender has and cannot take in, or whatever lies below them;
// the receiver's are left as they are.
ConfigPlan plan_config(const ConfigManifest& sender, const ConfigManifest& receiver,
                       const ConfigManifest& base, ReceiverChanges policy, bool forced,
                       const std::vector<std::string>& unseen = {});

// The base after both stand at `sender` but for what was kept or not judged.
ConfigManifest next_base(const ConfigManifest& sender, const ConfigManifest& base,
                         const ConfigPlan& plan);

// One line a path that belongs to `of` (of everything when empty), in an order and spelling that
// depend on the meaning alone: its hash is the checksum.
std::string canonical_text(const ConfigManifest& manifest, const ConfigScope& scope,
                           std::string_view of);

// `text` with each {{name}} replaced by its value; a name without one is an error: it is returned.
struct Rendered {
  std::string text;
  std::optional<std::string> unknown;
};
Rendered render_template(std::string_view text, const std::map<std::string, std::string>& values);

}  // namespace hotpair::agent
