#include "agent/daemon/config_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/crypto.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

using Kind = agent::ConfigEntry::Kind;

constexpr mode_t kPermissions = 07777;
constexpr int kDeepest = 64;

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Of what is no directory, or not there: none.
Result<std::vector<std::string>> names_in(const std::string& directory) {
  std::vector<std::string> names;
  DIR* open = ::opendir(directory.c_str());
  if (open == nullptr && (errno == ENOENT || errno == ENOTDIR)) return names;
  if (open == nullptr) return sys::fail_errno("cannot list " + directory, errno);
  errno = 0;
  while (const dirent* each = ::readdir(open)) {
    const std::string name = each->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(open);
  if (error != 0) return sys::fail_errno("cannot list " + directory, error);
  std::ranges::sort(names);
  return names;
}

// Names travel as JSON, which has no others.
bool is_utf8(const std::string& name) {
  using nlohmann::json;
  return json(name).dump(-1, ' ', false, json::error_handler_t::ignore).size() ==
         json(name).dump(-1, ' ', false, json::error_handler_t::replace).size();
}

// How deep below its root a glob can match.
int levels_of(const std::string& glob) {
  if (glob.find("**") != std::string::npos) return kDeepest;
  const std::string below = glob.substr(agent::glob_root(glob).size());
  return static_cast<int>(std::ranges::count(below, '/')) - 1;
}

}  // namespace

agent::ContentHash hash_of(std::string_view content) {
  return sys::sha256({reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
}

std::string hex_of(const agent::ContentHash& hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<agent::ContentHash> hash_from_hex(std::string_view hex) {
  agent::ContentHash hash;
  if (hex.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[i];
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
    const auto digit = static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    hash[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? digit << 4 : hash[i / 2] | digit);
  }
  return hash;
}

Result<std::string> read_config_content(const std::string& path, Kind kind) {
  if (kind == Kind::link) {
    std::array<char, 4096> target;
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0) return sys::fail_errno("cannot read the link " + path, errno);
    return std::string(target.data(), static_cast<std::size_t>(size));
  }
  const sys::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return sys::fail_errno("cannot read " + path, errno);
  std::string content;
  std::array<char, 64 * 1024> chunk;
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0) return sys::fail_errno("cannot read " + path, errno);
    if (got == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(got));
    if (content.size() > kMaxConfigFile)
      return fail_with(path + " is larger than " + std::to_string(kMaxConfigFile >> 20) + " MiB");
  }
}

ConfigScan ConfigFiles::scan(const agent::ConfigScope& scope) {
  ConfigScan out;
  seen_.clear();
  for (const auto& path : scope.paths) {
    if (agent::is_glob(path))
      visit_directory(scope, agent::glob_root(path), levels_of(path), out);
    else
      visit(scope, path, kDeepest, out);
  }
  known_ = std::move(seen_);
  return out;
}

void ConfigFiles::visit_directory(const agent::ConfigScope& scope, const std::string& path,
                                  int depth, ConfigScan& out) {
  if (depth < 0) return;
  const std::string prefix = path == "/" ? "" : path;
  const auto names = names_in(path);
  if (!names) return leave_out(path, names.error().message, out);
  for (const auto& name : *names) visit(scope, prefix + "/" + name, depth - 1, out);
}

void ConfigFiles::leave_out(const std::string& path, std::string why, ConfigScan& out) {
  out.problems.push_back(std::move(why));
  out.unseen.push_back(path);
}

void ConfigFiles::visit(const agent::ConfigScope& scope, const std::string& path, int depth,
                        ConfigScan& out) {
  if (!is_utf8(path))
    return leave_out(path, "the name of " + path + " is not UTF-8 and does not travel", out);
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) {
    if (errno != ENOENT)
      leave_out(path, sys::fail_errno("cannot look at " + path, errno).reason.message, out);
    return;
  }
  const bool directory = S_ISDIR(facts.st_mode);
  const bool in_scope = agent::scope_of(scope, path).has_value();
  // A glob's root may hold directories that match only further down; they are searched, not taken.
  if (!in_scope && !directory) return;
  if (in_scope && out.manifest.contains(path)) return;
  if (out.manifest.size() >= kMaxConfigFiles || out.bytes > kMaxConfigTotal) {
    if (out.problems.empty() || !out.problems.back().starts_with("too many"))
      leave_out("/", "too many files, or too large; the first left out is " + path, out);
    return;
  }
  agent::ConfigEntry entry;
  entry.mode = facts.st_mode & kPermissions;
  entry.user = facts.st_uid;
  entry.group = facts.st_gid;
  if (directory) {
    entry.kind = Kind::directory;
    if (in_scope) out.manifest[path] = entry;
    return visit_directory(scope, path, depth, out);
  }
  if (S_ISLNK(facts.st_mode)) {
    entry.kind = Kind::link;
    entry.mode = 0777;
  } else if (!S_ISREG(facts.st_mode)) {
    return leave_out(path, path + " is neither a file, a directory nor a link", out);
  }
  take_file(path,
            {facts.st_dev,
             facts.st_ino,
             static_cast<std::uint64_t>(facts.st_size),
             nanoseconds(facts.st_mtim),
             nanoseconds(facts.st_ctim),
             {}},
            entry, out);
}

void ConfigFiles::take_file(const std::string& path, const Known& now, agent::ConfigEntry entry,
                            ConfigScan& out) {
  const auto before = known_.find(path);
  if (before != known_.end() && before->second.unchanged(now)) {
    entry.size = before->second.size;
    entry.hash = before->second.hash;
    seen_[path] = before->second;
  } else {
    const auto content = read_config_content(path, entry.kind);
    if (!content) {
      return leave_out(path, content.error().message, out);
    }
    entry.size = content->size();
    entry.hash = hash_of(*content);
    Known known = now;
    known.hash = entry.hash;
    if (known.size == entry.size) seen_[path] = known;  // else it is being written
  }
  out.bytes += entry.size;
  out.manifest[path] = entry;
}

}  // namespace hotpair::daemon
