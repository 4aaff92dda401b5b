// Configuration files of any content: problems with a place, or a configuration; never a crash. The
// input is cut at its first zero byte into node.yaml and cluster.yaml.
#include <cstdint>
#include <string>

#include "platform/config/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = text.find('\0');
  const std::string node = text.substr(0, cut);
  const std::string cluster = cut == std::string::npos ? std::string() : text.substr(cut + 1);
  auto config = hotpair::config::parse_config(node, cluster);
  if (!config && config.error().empty()) __builtin_trap();
  if (!config) {
    for (const auto& problem : config.error())
      if (problem.text().empty()) __builtin_trap();
  }
  return 0;
}
