// What a peer says of its configuration files: {which u8, JSON}. What is understood is said again
// in the same way.
#include "agent/daemon/config_wire.hpp"
#include "platform/base/assert.hpp"

using namespace hotpair;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto body = nlohmann::json::parse(data + 1, data + size, nullptr, false);
  if (data[0] % 2 == 0) {
    if (const auto manifest = daemon::manifest_from(body))
      HOTPAIR_ASSERT(daemon::manifest_from(daemon::to_json(*manifest)) == manifest);
  } else if (const auto operations = daemon::operations_from(body)) {
    HOTPAIR_ASSERT(daemon::operations_from(daemon::to_json(*operations))->size() ==
                   operations->size());
  }
  return 0;
}
