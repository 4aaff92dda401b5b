#include "agent/daemon/recording_files.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

constexpr std::string_view kSuffix = ".hprec", kRoleSuffix = "-role.hprec";

bool take_suffix(std::string_view& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return false;
  name.remove_suffix(suffix.size());
  return true;
}

}  // namespace

std::string segment_name(std::uint64_t number, bool role_change) {
  char text[32];
  std::snprintf(text, sizeof text, "%08llu", static_cast<unsigned long long>(number));
  return text + std::string(role_change ? kRoleSuffix : kSuffix);
}

SegmentFile parse_segment_name(std::string_view name) {
  SegmentFile file;
  file.role_change = take_suffix(name, kRoleSuffix);
  if (!file.role_change && !take_suffix(name, kSuffix)) return {};
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), file.number);
  if (name.size() < 8 || error != std::errc() || end != name.data() + name.size()) return {};
  return file;
}

std::vector<SegmentFile> expendable(std::vector<SegmentFile> files, std::uint64_t limit) {
  std::ranges::sort(files, std::greater(), &SegmentFile::number);
  const std::uint64_t half = limit / 2;
  std::uint64_t any = kSegmentSize, eventful = 0;  // the one to come
  std::size_t kept = 1;
  std::vector<SegmentFile> gone;
  for (const SegmentFile& file : files) {
    const bool fits_any = any + file.size <= half;
    const bool fits_eventful = file.role_change && eventful + file.size <= half;
    if (kept >= kMostSegments || !(fits_any || fits_eventful)) {
      gone.push_back(file);
      continue;
    }
    (fits_any ? any : eventful) += file.size;
    ++kept;
  }
  return gone;
}

std::string RecordingFiles::path_of(const SegmentFile& file) const {
  return directory_ + "/" + segment_name(file.number, file.role_change);
}

Result<std::vector<SegmentFile>> RecordingFiles::list() const {
  std::vector<SegmentFile> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    SegmentFile file = parse_segment_name(it->path().filename().string());
    struct stat info {};
    if (file.number == 0 || stat(it->path().c_str(), &info) != 0) continue;
    file.size = static_cast<std::uint64_t>(info.st_size);
    files.push_back(file);
  }
  if (error) return fail_with("cannot list " + directory_ + ": " + error.message());
  return files;
}

Status RecordingFiles::begin() {
  file_.reset();
  if (mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST)
    return sys::fail_errno("cannot make " + directory_, errno);
  auto files = list();
  if (!files) return Failure<Error>{files.error()};
  for (const SegmentFile& file : *files) present_.number = std::max(present_.number, file.number);
  present_ = SegmentFile{present_.number + 1, 0, false};
  for (const SegmentFile& file : expendable(std::move(*files), limit_))
    if (unlink(path_of(file).c_str()) != 0 && errno != ENOENT)
      return sys::fail_errno("cannot remove " + path_of(file), errno);
  const std::string path = path_of(present_);
  file_ = sys::FileDescriptor(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  if (!file_) return sys::fail_errno("cannot write " + path, errno);
  return Ok{};
}

Status RecordingFiles::append(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return sys::fail_errno("cannot write " + path_of(present_), errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return Ok{};
}

Status RecordingFiles::note_role_change() {
  if (present_.role_change) return Ok{};
  SegmentFile renamed = present_;
  renamed.role_change = true;
  if (std::rename(path_of(present_).c_str(), path_of(renamed).c_str()) != 0)
    return sys::fail_errno("cannot rename " + path_of(present_), errno);
  present_ = renamed;
  return Ok{};
}

}  // namespace hotpair::daemon
