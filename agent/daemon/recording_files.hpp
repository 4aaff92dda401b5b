// The recordings of a node as files: <state-dir>/recordings/00000012.hprec, one a segment, with
// "-role" in the name of those in which the role changed. They are kept within a limit: half of it
// for the newest of all, half for the newest with a change of role, so that a quiet week does not
// push out the night that mattered. Blocking; used by one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::daemon {

constexpr const char* kRecordingDirectory = "recordings";
constexpr std::uint64_t kSegmentSize = 4 << 20;  // about twenty minutes of an idle pair
constexpr std::size_t kMostSegments = 200;       // of restart after restart

struct SegmentFile {
  std::uint64_t number = 0;
  std::uint64_t size = 0;
  bool role_change = false;
  friend bool operator==(const SegmentFile&, const SegmentFile&) = default;
};

std::string segment_name(std::uint64_t number, bool role_change);
// None of this program's: size 0, number 0.
SegmentFile parse_segment_name(std::string_view name);
// What has to go so that one more segment fits into `limit` bytes.
std::vector<SegmentFile> expendable(std::vector<SegmentFile> files, std::uint64_t limit);

class RecordingFiles {
 public:
  RecordingFiles(std::string directory, std::uint64_t limit)
      : directory_(std::move(directory)), limit_(limit) {}

  // Makes room, and a new file whose number is above all that are there.
  Status begin();
  Status append(Bytes bytes);
  // The segment being written has a change of role in it.
  Status note_role_change();

 private:
  Result<std::vector<SegmentFile>> list() const;
  std::string path_of(const SegmentFile& file) const;

  std::string directory_;
  std::uint64_t limit_;
  sys::FileDescriptor file_;
  SegmentFile present_;
};

}  // namespace hotpair::daemon
