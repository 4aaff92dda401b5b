// A mistake in the configuration and the whole message that an operator reads.
#pragma once

#include <string>

#include "platform/config/config.hpp"

namespace hotpair::config {

struct Mistake {
  const char* text;
  const char* message;
};

inline std::string problems(const std::string& node, const std::string& cluster) {
  const auto config = parse_config(node, cluster);
  if (config.ok()) return "no problem";
  std::string text;
  for (const ConfigProblem& problem : config.error())
    text += (text.empty() ? "" : "\n") + problem.text();
  return text;
}

inline const std::string kGoodNode = "chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n";
inline const std::string kGoodCluster = "group_id: 7\n";

}  // namespace hotpair::config
