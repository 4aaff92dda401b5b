#include <array>

#include <unistd.h>

#include "platform/base/bytes.hpp"
#include "platform/config/schema.hpp"
#include "platform/linux/crypto.hpp"
#include "platform/linux/files.hpp"

namespace hotpair::config {
namespace {

// Changes of the canonical spelling change the prefix, so that two releases never compare by
// accident.
constexpr const char* kDigestPrefix = "hotpair cluster 1 ";

std::optional<sys::YamlNode> parse(Context& context, const std::string& text) {
  auto tree = sys::parse_yaml(text);
  if (!tree) {
    context.report(tree.error().line, "", tree.error().message, "a YAML file as the manual shows");
    return std::nullopt;
  }
  if (tree->is_null()) {
    context.report(0, "", "", "a YAML file with the keys that the manual shows; it is empty");
    return std::nullopt;
  }
  return std::move(*tree);
}

template <typename S>
std::optional<S> read(Context& context, const Codec<S>& schema, const std::string& text) {
  const auto tree = parse(context, text);
  if (!tree) return std::nullopt;
  return schema.read(Input{context, *tree, ""});
}

std::string system_host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "unnamed";
  return std::string(name.data()).substr(0, 63);
}

// Unique and lasting, as machine-id(5) promises, without showing the id itself.
std::string serial_of_machine() {
  const auto content = sys::read_file("/etc/machine-id", 256);
  if (!content) return "unknown";
  const std::string seed = "hotpair serial " + content->text.substr(0, content->text.find('\n'));
  const auto digest =
      sys::sha256({reinterpret_cast<const std::uint8_t*>(seed.data()), seed.size()});
  std::string serial = "M-";
  for (std::size_t i = 0; i < 6; ++i) {
    serial.push_back("0123456789ABCDEF"[digest[i] >> 4]);
    serial.push_back("0123456789ABCDEF"[digest[i] & 15]);
  }
  return serial;
}

std::uint64_t digest_of(const ClusterFile& cluster) {
  const std::string text = kDigestPrefix + cluster_schema().show(cluster);
  const auto digest =
      sys::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return load_be<std::uint64_t>(digest.data());
}

std::optional<std::string> read_whole(Context& context, const std::string& path) {
  auto content = sys::read_file(path, sys::kMaxYamlBytes);
  if (content) return std::move(content->text);
  context.report(0, "", content.error().message, "a readable file");
  return std::nullopt;
}

Result<Config, ConfigProblems> finish(std::optional<NodeFile> node, Context& node_context,
                                      std::optional<ClusterFile> cluster, Context& cluster_context,
                                      ConfigProblems& problems) {
  if (node) check_node(node_context, *node);
  if (cluster) check_cluster(cluster_context, *cluster);
  if (node && cluster && problems.empty())
    check_together(node_context, *node, cluster_context, *cluster);
  if (!problems.empty()) {
    std::stable_sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
      return a.file == b.file ? a.line < b.line : a.file > b.file;  // node.yaml first
    });
    return fail(problems);
  }
  if (node->hostname.empty()) node->hostname = system_host_name();
  if (node->serial.empty()) node->serial = serial_of_machine();
  cluster->digest = digest_of(*cluster);
  return Config{std::move(*node), std::move(*cluster)};
}

}  // namespace

std::string ConfigProblem::text() const {
  std::string where = file;
  if (line > 0) where += ":" + std::to_string(line);
  if (!key.empty()) where += ": " + key;
  const std::string what = found.empty() ? "nothing" : "'" + found + "'";
  return where + ": found " + what + ", allowed: " + allowed;
}

Result<Config, ConfigProblems> parse_config(const std::string& node_text,
                                            const std::string& cluster_text,
                                            const std::string& node_name,
                                            const std::string& cluster_name) {
  ConfigProblems problems;
  Context node_context(node_name, problems), cluster_context(cluster_name, problems);
  auto node = read(node_context, node_schema(), node_text);
  auto cluster = read(cluster_context, cluster_schema(), cluster_text);
  return finish(std::move(node), node_context, std::move(cluster), cluster_context, problems);
}

Result<Config, ConfigProblems> load_config(const std::string& directory) {
  const std::string node_path = directory + "/node.yaml";
  const std::string cluster_path = directory + "/cluster.yaml";
  ConfigProblems problems;
  Context node_context(node_path, problems), cluster_context(cluster_path, problems);
  std::optional<NodeFile> node;
  std::optional<ClusterFile> cluster;
  if (const auto text = read_whole(node_context, node_path))
    node = read(node_context, node_schema(), *text);
  if (const auto text = read_whole(cluster_context, cluster_path))
    cluster = read(cluster_context, cluster_schema(), *text);
  return finish(std::move(node), node_context, std::move(cluster), cluster_context, problems);
}

}  // namespace hotpair::config
