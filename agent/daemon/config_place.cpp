#include "agent/daemon/config_place.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/daemon/config_files.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

using Kind = agent::ConfigEntry::Kind;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status make_durable(const std::string& directory) {
  const sys::FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return sys::fail_errno("cannot fsync " + directory, errno);
  return Ok{};
}

// A link on the way would lead what we write to a place that was never named.
Status refuse_links_above(const std::string& directory) {
  std::array<char, PATH_MAX> real;
  if (::realpath(directory.c_str(), real.data()) == nullptr)
    return sys::fail_errno("cannot find " + directory, errno);
  if (directory == real.data()) return Ok{};
  return fail_with(directory + " is reached through a symbolic link (" + real.data() +
                   "); name that place in config_sync.paths");
}

Status write_content(const sys::FileDescriptor& file, std::string_view content,
                     const std::string& path) {
  while (!content.empty()) {
    const ssize_t wrote = ::write(file.get(), content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return sys::fail_errno("cannot write " + path, errno);
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return Ok{};
}

Status write_file(const std::string& path, const agent::ConfigEntry& entry,
                  std::string_view content) {
  const sys::FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return sys::fail_errno("cannot create " + path, errno);
  if (Status done = write_content(file, content, path); !done) return done;
  // The owner first: a change of owner takes set-user-id bits away.
  if (::fchown(file.get(), entry.user, entry.group) != 0 || ::fchmod(file.get(), entry.mode) != 0)
    return sys::fail_errno("cannot set owner and rights of " + path, errno);
  if (::fsync(file.get()) != 0) return sys::fail_errno("cannot fsync " + path, errno);
  return Ok{};
}

// What is of the other kind makes room: nothing is renamed over a directory, nor made one.
Status make_room(const std::string& path, bool for_directory) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 || S_ISDIR(facts.st_mode) == for_directory) return Ok{};
  if ((for_directory ? ::unlink(path.c_str()) : ::rmdir(path.c_str())) == 0) return Ok{};
  return sys::fail_errno("cannot replace " + path, errno);
}

Status place_directory(const std::string& path, const agent::ConfigEntry& entry) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return sys::fail_errno("cannot make the directory " + path, errno);
  const sys::FileDescriptor fd(
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd || ::fchown(fd.get(), entry.user, entry.group) != 0 ||
      ::fchmod(fd.get(), entry.mode) != 0)
    return sys::fail_errno("cannot set owner and rights of " + path, errno);
  return Ok{};
}

}  // namespace

std::string beside(const std::string& path, std::string_view what) {
  constexpr std::size_t kDigits = 16;  // of what tells names apart that begin alike
  const std::string mark = std::string(agent::kBesideMark) + std::string(what);
  const std::size_t name = path.rfind('/') + 1;
  if (path.size() - name + mark.size() <= NAME_MAX) return path + mark;
  const std::string digits = hex_of(hash_of(path)).substr(0, kDigits);
  return path.substr(0, name + NAME_MAX - mark.size() - kDigits) + digits + mark;
}

Status make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return sys::fail_errno("cannot make the directory " + path, error.value());
  return Ok{};
}

void remove_tree(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

Status place_config(const std::string& path, const agent::ConfigEntry& entry,
                    std::string_view content) {
  const std::string parent = parent_of(path);
  if (Status made = make_directories(parent); !made) return made;
  if (Status real = refuse_links_above(parent); !real) return real;
  const bool directory = entry.kind == Kind::directory;
  if (Status room = make_room(path, directory); !room) return room;
  if (directory) return place_directory(path, entry);
  const std::string fresh = beside(path, "new");
  ::unlink(fresh.c_str());  // of a run that was killed
  Status done = Ok{};
  if (entry.kind == Kind::link) {
    if (::symlink(std::string(content).c_str(), fresh.c_str()) != 0 ||
        ::lchown(fresh.c_str(), entry.user, entry.group) != 0)
      done = sys::fail_errno("cannot make the link " + path, errno);
  } else {
    done = write_file(fresh, entry, content);
  }
  if (done && ::rename(fresh.c_str(), path.c_str()) != 0)
    done = sys::fail_errno("cannot put " + path + " in its place", errno);
  if (!done) {
    ::unlink(fresh.c_str());
    return done;
  }
  return make_durable(parent);
}

Status remove_config(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 && (errno == ENOENT || errno == ENOTDIR)) return Ok{};
  if (Status real = refuse_links_above(parent_of(path)); !real) return real;
  if (::unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return Ok{};
  if (errno != EISDIR) return sys::fail_errno("cannot remove " + path, errno);
  if (::rmdir(path.c_str()) == 0 || errno == ENOTEMPTY || errno == EEXIST) return Ok{};
  return sys::fail_errno("cannot remove the directory " + path, errno);
}

Status write_durable(const std::string& path, std::string_view content) {
  agent::ConfigEntry ours;
  ours.mode = 0600;
  ours.user = ::geteuid();
  ours.group = ::getegid();
  const std::string fresh = beside(path, "new");
  ::unlink(fresh.c_str());
  if (Status done = write_file(fresh, ours, content); !done) {
    ::unlink(fresh.c_str());
    return done;
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    return sys::fail_errno("cannot write " + path, errno);
  return make_durable(parent_of(path));
}

}  // namespace hotpair::daemon
