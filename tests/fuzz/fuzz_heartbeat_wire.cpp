// A heartbeat's body from a peer that knows the password but not our version: never a crash, and
// what is understood survives being said again.
#include <array>
#include <cstdint>

#include "agent/core/heartbeat_wire.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hotpair;
  auto heartbeat = agent::decode_heartbeat(Bytes(data, size));
  if (!heartbeat) return 0;
  std::array<std::uint8_t, agent::kMaxBodySize> bytes{};
  const std::size_t written = agent::encode_heartbeat(*heartbeat, bytes);
  auto again = agent::decode_heartbeat(Bytes(bytes.data(), written));
  if (!again || !(*again == *heartbeat)) __builtin_trap();
  return 0;
}
