// `hotpair keys`: the configuration's keys, from the schema itself.
#include <cstdio>

#include "platform/config/manual.hpp"
#include "tools/ctl/command.hpp"

namespace hotpair::ctl {
namespace {

std::string wanted;  // a part of a path; empty: all

Json chosen(const std::vector<config::ManualEntry>& manual) {
  Json keys = Json::array();
  for (const config::ManualEntry& entry : manual)
    if (entry.path.find(wanted) != std::string::npos)
      keys.push_back({{"key", entry.path},
                      {"required", entry.required},
                      {"allowed", entry.allowed},
                      {"default", entry.standard},
                      {"meaning", entry.meaning}});
  return keys;
}

void print(const Context& context, const char* file, const Json& keys) {
  for (const Json& key : keys) {
    const auto word = [&](const char* name) { return key[name].get<std::string>(); };
    std::printf(
        "%s  %s\n    %s\n    allowed: %s\n", context.style(Tone::strong, word("key")).c_str(),
        context.style(Tone::faint, file).c_str(), word("meaning").c_str(), word("allowed").c_str());
    if (key["required"].get<bool>())
      std::printf("    required\n");
    else if (!word("default").empty())
      std::printf("    default: %s\n", word("default").c_str());
  }
}

}  // namespace

void add_keys_options(CLI::App& app) {
  app.add_option("part", wanted, "only keys with this in their path");
}

Exit run_keys(Context& context) {
  const Json node = chosen(config::node_manual()), cluster = chosen(config::cluster_manual());
  if (!context.print_json({{"ok", true}, {"node.yaml", node}, {"cluster.yaml", cluster}})) {
    print(context, "node.yaml", node);
    print(context, "cluster.yaml", cluster);
  }
  if (!node.empty() || !cluster.empty()) return Exit::good;
  std::fprintf(stderr, "hotpair: no key has '%s' in its path\n", wanted.c_str());
  return Exit::refused;
}

}  // namespace hotpair::ctl
