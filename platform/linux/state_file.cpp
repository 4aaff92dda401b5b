#include "platform/linux/state_file.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/files.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("cannot write " + path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return Ok{};
}

Status create_error(const std::string& path, const std::string& directory, int error) {
  if (error == ENOENT)
    return fail_with("cannot write " + path +
                     ": the directory does not exist; make it with 'mkdir -p " + directory + "'");
  if (error == EACCES || error == EPERM)
    return fail_with("cannot write " + path +
                     ": the directory is not writable for this user; see 'ls -ld " + directory +
                     "'");
  return fail_errno("cannot write " + path, error);
}

}  // namespace

Status write_state_file(const std::string& path, std::string_view content, mode_t mode) {
  const std::string directory = directory_of(path);
  std::string temporary = path + ".XXXXXX";
  FileDescriptor fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return create_error(path, directory, errno);
  Status done = write_all(fd.get(), content, path);
  if (done && (fchmod(fd.get(), mode) != 0 || fsync(fd.get()) != 0))
    done = fail_errno("cannot write " + path, errno);
  if (done && std::rename(temporary.c_str(), path.c_str()) != 0)
    done = fail_errno("cannot replace " + path, errno);
  if (!done) {
    unlink(temporary.c_str());
    return done;
  }
  // The rename itself lives in the directory; without this it may be undone by a power cut.
  const FileDescriptor parent(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent || fsync(parent.get()) != 0) return fail_errno("cannot sync " + directory, errno);
  return done;
}

Result<std::optional<std::string>> read_state_file(const std::string& path, std::size_t max_bytes) {
  auto content = read_file(path, max_bytes);
  if (content) return std::optional<std::string>(std::move(content->text));
  if (content.error().kind == ReadFailure::missing) return std::optional<std::string>();
  return fail_with(content.error().message);
}

}  // namespace hotpair::sys
