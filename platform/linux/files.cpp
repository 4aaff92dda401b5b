#include "platform/linux/files.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

ReadError open_error(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR)
    return {ReadFailure::missing, path + " does not exist; create it, see 'ls -l'"};
  if (error == EACCES || error == EPERM)
    return {ReadFailure::not_permitted,
            path + " may not be read by this user; see its rights with 'ls -l " + path + "'"};
  return {ReadFailure::io, "cannot open " + path + ": " + errno_text(error)};
}

}  // namespace

Result<FileContent, ReadError> read_file(const std::string& path, std::size_t max_bytes) {
  // Not blocking: the path may name a FIFO that nobody writes to.
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return fail(open_error(path, errno));
  struct stat facts {};
  if (fstat(fd.get(), &facts) != 0) return fail(open_error(path, errno));
  if (!S_ISREG(facts.st_mode))
    return fail(ReadError{ReadFailure::not_regular,
                          path + " is not a regular file; see 'ls -ld " + path + "'"});
  FileContent content{{},
                      facts.st_mode & 07777,
                      facts.st_uid,
                      std::int64_t{facts.st_ctim.tv_sec} * 1'000'000'000 + facts.st_ctim.tv_nsec};
  char chunk[16 * 1024];
  for (;;) {
    const ssize_t got = read(fd.get(), chunk, sizeof(chunk));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail(ReadError{ReadFailure::io, "cannot read " + path + ": " + errno_text(errno)});
    if (got == 0) return content;
    content.text.append(chunk, static_cast<std::size_t>(got));
    if (content.text.size() > max_bytes)
      return fail(ReadError{
          ReadFailure::too_big,
          path + " is larger than the " + std::to_string(max_bytes) + " bytes that are allowed"});
  }
}

}  // namespace hotpair::sys
