// Messages of route sync of any content, and the entries in them: {type u8, bytes}.
#include "agent/core/route_wire.hpp"

using namespace hotpair;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes payload = Bytes(data, size).subspan(1);
  const std::vector<bool> all(agent::kMinRouteBuckets, true);
  switch (static_cast<agent::RouteMessage>(data[0])) {
    case agent::RouteMessage::offer:
      if (const auto offer = agent::decode_offer(payload))
        if (agent::encode(*offer) != agent::ByteVector(payload.begin(), payload.end()))
          __builtin_trap();
      break;
    case agent::RouteMessage::want:
      (void)agent::decode_want(payload, agent::kMinRouteBuckets);
      break;
    case agent::RouteMessage::outcome:
      (void)agent::decode_outcome(payload);
      break;
    default: {
      agent::RouteTable table;
      if (!agent::decode_entries(payload, all, table)) break;
      // What is taken has one spelling.
      for (const auto& [key, value] : table.entries())
        if (agent::encode(*agent::decode({key, value})) != agent::RouteEntry{key, value})
          __builtin_trap();
    }
  }
  return 0;
}
