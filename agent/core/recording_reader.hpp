// Reads a recording, record by record. Total: whatever the bytes, a record, the end, or an error
// that says what is wrong and where.
#pragma once

#include <memory>
#include <string>

#include "agent/core/recording.hpp"
#include "platform/base/result.hpp"

namespace hotpair::agent {

struct RecordingError {
  enum class Kind : std::uint8_t {
    not_a_recording,  // another magic
    other_version,    // of the format
    cut,              // ends within a block: a copy of a file being written, or a lost write
    checksum,
    record,  // a block is as it was written, and a record in it makes no sense
  };
  Kind kind = Kind::record;
  std::size_t offset = 0;  // in the file
  std::string detail;

  std::string text() const;  // one sentence
};

class RecordingReader {
 public:
  explicit RecordingReader(Bytes file);  // which outlives it
  ~RecordingReader();
  RecordingReader(RecordingReader&&) noexcept;

  // True: `record` is the next one; false: the end of the file. After an error, the same error.
  Result<bool, RecordingError> next(Record& record);
  std::size_t offset() const;  // of the next record
  // Fields that one version has and the other not, so far.
  std::size_t missing_fields() const;
  std::size_t unknown_fields() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hotpair::agent
