// Recordings of any content, read and replayed: records, an error with its place, or the end; and
// whatever was recorded, the core neither crashes nor goes wrong by itself. The checksums are set
// right first, so that what lies behind them is reached.
#include <cstdint>
#include <vector>

#include "agent/core/recording_reader.hpp"
#include "agent/core/recording_replay.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hotpair;
  std::vector<std::uint8_t> file(data, data + size);
  for (std::size_t at = agent::kRecordingHeaderSize; at + agent::kBlockHeaderSize < size;) {
    const std::size_t records = at + agent::kBlockHeaderSize;
    const std::uint32_t length = load_be<std::uint32_t>(file.data() + at);
    if (length > size - records) break;
    store_be(file.data() + at + 4, agent::crc32(Bytes(file).subspan(records, length)));
    at = records + length;
  }
  agent::RecordingReader reader(file);
  agent::Replay replay;
  agent::Record record;
  for (auto more = reader.next(record); more && *more; more = reader.next(record))
    if (!replay.take(record)) return 0;
  return 0;
}
