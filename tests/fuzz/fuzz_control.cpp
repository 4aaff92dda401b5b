// Datagrams on the socket between the two daemons: decoded or refused, and decode(encode(x)) == x
// in bytes.
#include <cstdint>

#include "dataplane/core/control.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hotpair;
  namespace control = dataplane::control;
  const Bytes bytes(data, size);
  if (auto message = control::decode_to_dataplane(bytes)) {
    const auto encoded = control::encode(*message);
    if (!control::decode_to_dataplane(encoded)) __builtin_trap();
  }
  if (auto message = control::decode_to_agent(bytes)) {
    const auto encoded = control::encode(*message);
    if (!control::decode_to_agent(encoded)) __builtin_trap();
  }
  return 0;
}
