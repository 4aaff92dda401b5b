// `hotpair migrate`: cluster.yaml from keepalived.conf and conntrackd.conf, and what it could not
// carry.
#include <cstdio>

#include "platform/config/config.hpp"
#include "platform/linux/files.hpp"
#include "platform/linux/state_file.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/migrate/migration.hpp"

namespace hotpair::ctl {
namespace {

constexpr std::size_t kMaxFile = 1 << 20;
constexpr const char* kAnyNode = "chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n";

std::string keepalived, conntrackd, out_path;

using Reader = void (*)(const migrate::Block&, const std::string&, migrate::Draft&);

bool take(const std::string& path, const char* comment_marks, Reader read, migrate::Draft& draft) {
  const auto content = sys::read_file(path, kMaxFile);
  if (!content) {
    std::fprintf(stderr, "hotpair: %s\n", content.error().message.c_str());
    return false;
  }
  const auto blocks = migrate::parse_blocks(content->text, comment_marks);
  if (!blocks) {
    std::fprintf(stderr, "%s:%d: %s\n", path.c_str(), blocks.error().line,
                 blocks.error().what.c_str());
    return false;
  }
  read(*blocks, path, draft);
  return true;
}

// What of the result the schema refuses, by key: the operator decides.
bool valid(const std::string& yaml) {
  const auto config = config::parse_config(kAnyNode, yaml);
  if (config) return true;
  for (const auto& problem : config.error()) std::fprintf(stderr, "%s\n", problem.text().c_str());
  return false;
}

bool write(const std::string& yaml) {
  if (out_path.empty()) return std::fputs(yaml.c_str(), stdout) >= 0;
  const auto written = sys::write_state_file(out_path, yaml, 0644);
  if (!written) std::fprintf(stderr, "hotpair: %s\n", written.error().message.c_str());
  return written.ok();
}

}  // namespace

void add_migrate_options(CLI::App& app) {
  app.add_option("keepalived", keepalived, "keepalived.conf")->required();
  app.add_option("conntrackd", conntrackd, "conntrackd.conf");
  app.add_option("-o,--out", out_path, "write cluster.yaml there; default: standard output");
}

Exit run_migrate(Context&) {
  migrate::Draft draft;
  if (!take(keepalived, "!#", migrate::read_keepalived, draft)) return Exit::refused;
  if (!conntrackd.empty() && !take(conntrackd, "#", migrate::read_conntrackd, draft))
    return Exit::refused;
  const std::string yaml = migrate::cluster_yaml(draft);
  if (!write(yaml)) return Exit::refused;
  for (const migrate::Note& note : draft.notes) std::fprintf(stderr, "%s\n", note.text().c_str());
  if (conntrackd.empty())
    std::fprintf(stderr, "no conntrackd.conf was given: sessions are replicated all the same\n");
  if (!draft.group_id) std::fprintf(stderr, "no virtual_router_id was found: group_id is 1\n");
  return valid(yaml) ? Exit::good : Exit::refused;
}

}  // namespace hotpair::ctl
