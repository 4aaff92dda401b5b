// The head of a request from anybody who can reach the port: a request or none.
#include <cstdint>
#include <string>

#include "platform/base/assert.hpp"
#include "platform/linux/http_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hotpair::sys;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto end = end_of_head(text);
  if (!end) return 0;
  HOTPAIR_ASSERT(*end <= size);
  const auto request = parse_http_request(std::string_view(text).substr(0, *end));
  if (!request) return 0;
  HOTPAIR_ASSERT(request->path.starts_with('/') && request->fields.size() <= kMaxHttpFields);
  return 0;
}
