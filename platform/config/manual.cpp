#include "platform/config/manual.hpp"

#include <algorithm>
#include <iterator>

#include "platform/config/schema.hpp"

namespace hotpair::config {
namespace {

struct Line {
  bool node;  // of node.yaml
  const char* path;
  const char* standard;
  const char* meaning;
};

constexpr Line kLines[] = {
#define NODE(path, standard, meaning) {true, path, standard, meaning},
#define CLUSTER(path, standard, meaning) {false, path, standard, meaning},
#include "platform/config/keys.def"
#undef NODE
#undef CLUSTER
};

std::vector<ManualEntry> entries(const std::vector<Key>& keys, bool node) {
  std::vector<ManualEntry> all;
  for (const Key& key : keys) {
    const auto* line = std::find_if(std::begin(kLines), std::end(kLines), [&](const Line& l) {
      return l.node == node && key.path == l.path;
    });
    const bool known = line != std::end(kLines);
    all.push_back({key.path, key.required, key.allowed, known ? line->standard : "",
                   known ? line->meaning : ""});
  }
  return all;
}

}  // namespace

std::vector<ManualEntry> node_manual() {
  return entries(node_schema().keys, true);
}

std::vector<ManualEntry> cluster_manual() {
  return entries(cluster_schema().keys, false);
}

std::vector<std::string> strays_of_manual() {
  const auto node = node_manual(), cluster = cluster_manual();
  std::vector<std::string> strays;
  for (const Line& line : kLines) {
    const auto& all = line.node ? node : cluster;
    if (std::none_of(all.begin(), all.end(), [&](const auto& e) { return e.path == line.path; }))
      strays.emplace_back(line.path);
  }
  return strays;
}

}  // namespace hotpair::config
