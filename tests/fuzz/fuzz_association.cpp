// Frames of any content on a heartbeat path.
#include <algorithm>
#include <array>
#include <cstdint>

#include "agent/core/association.hpp"
#include "agent/core/heartbeat_wire.hpp"
#include "tests/fuzz/guessable_cipher.hpp"

using namespace hotpair;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::GuessableCipher cipher;
  agent::Association association(agent::ChassisId::one, 7, cipher);
  std::array<std::uint8_t, agent::kMaxBodySize> body{};
  // Several frames in turn: {path u8, size u16, bytes}.
  ByteReader reader(Bytes(data, size));
  while (reader.remaining() >= 3) {
    const agent::PathId path = reader.u8();
    const Bytes frame = reader.take(std::min<std::size_t>(reader.u16(), reader.remaining()));
    auto opened = association.open(path % agent::kMaxPaths, frame, body);
    if (opened && opened->body_size > body.size()) __builtin_trap();
  }
  return 0;
}
