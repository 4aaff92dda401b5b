// `hotpair config`: whether both nodes' configuration is the same, where it differs, and which of
// them shall prevail.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {
namespace {

std::string action;

// One line a path and one for all, both nodes side by side.
Exit print_checksums(const Context& context, const Json& answer) {
  const Json& own = child(answer, "own");
  const Json& peer = child(answer, "peer");
  std::vector<std::vector<Cell>> rows = {{"path", "this node", "peer", ""}};
  bool same = peer.is_object();
  const auto add = [&](const std::string& path, const std::string& key) {
    const std::string ours = text(own, key.c_str()), theirs = text(peer, key.c_str());
    const bool equal = ours == theirs;
    same = same && equal;
    rows.push_back({path, ours, theirs.empty() ? "(not heard)" : theirs,
                    equal ? Cell("same", Tone::good) : Cell("DIFFERENT", Tone::bad)});
  };
  for (const Json& path : child(answer, "paths"))
    if (path.is_string()) add(path.get<std::string>(), path.get<std::string>());
  add("all", "");
  std::printf("%s", columns(context.style, rows).c_str());
  const std::string error = text(answer, "peer_error");
  if (!error.empty()) std::printf("the peer: %s\n", error.c_str());
  return same ? Exit::good : Exit::refused;
}

std::string write_temporary(const Json& row, const char* key) {
  std::array<char, 64> name{"/tmp/hotpair-diff-XXXXXX"};
  const int fd = ::mkstemp(name.data());
  if (fd < 0) return "/dev/null";
  const auto found = row.find(key);
  if (found != row.end() && found->is_string()) {
    const auto& content = found->get_ref<const std::string&>();
    (void)!::write(fd, content.data(), content.size());
  }
  ::close(fd);
  return name.data();
}

void run_diff(const std::string& path, const std::string& peer, const std::string& own) {
  const std::string peer_label = "peer:" + path, own_label = "this node:" + path;
  std::fflush(stdout);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execlp("diff", "diff", "-u", "--label", peer_label.c_str(), "--label", own_label.c_str(),
             peer.c_str(), own.c_str(), nullptr);
    ::_exit(127);
  }
  if (pid > 0) ::waitpid(pid, nullptr, 0);
}

std::string rights(const Json& entry) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "mode %04o owner %llu:%llu",
                static_cast<unsigned>(count(entry, "mode")),
                static_cast<unsigned long long>(count(entry, "user")),
                static_cast<unsigned long long>(count(entry, "group")));
  return buffer;
}

// Kernel settings, modules, interfaces and versions; how many differ.
std::size_t print_facts(const Context& context, const Json& answer) {
  std::vector<std::vector<Cell>> rows = {{"of the boxes", "this node", "peer"}};
  for (const Json& fact : child(answer, "facts"))
    rows.push_back({text(fact, "name"), text(fact, "own"), text(fact, "peer")});
  if (rows.size() > 1) std::printf("%s", columns(context.style, rows).c_str());
  const std::string error = text(answer, "facts_error");
  if (!error.empty()) std::printf("%s\n", error.c_str());
  return rows.size() - 1;
}

Exit print_differences(const Context& context, const Json& answer) {
  const Json& differences = child(answer, "differences");
  for (const Json& row : differences) {
    const std::string path = text(row, "path");
    const Json& own = child(row, "own");
    const Json& peer = child(row, "peer");
    if (own.is_null()) std::printf("only at the peer: %s\n", path.c_str());
    if (peer.is_null()) std::printf("only on this node: %s\n", path.c_str());
    if (own.is_object() && peer.is_object() && rights(own) != rights(peer))
      std::printf("%s: here %s, at the peer %s\n", path.c_str(), rights(own).c_str(),
                  rights(peer).c_str());
    if (!row.contains("own_text") && !row.contains("peer_text")) continue;
    const std::string theirs = write_temporary(row, "peer_text");
    const std::string ours = write_temporary(row, "own_text");
    run_diff(path, theirs, ours);
    for (const auto& file : {theirs, ours})
      if (file != "/dev/null") ::unlink(file.c_str());
  }
  const bool same = print_facts(context, answer) == 0 && differences.empty();
  if (same) std::printf("no difference\n");
  return same ? Exit::good : Exit::refused;
}

}  // namespace

void add_config_options(CLI::App& app) {
  app.add_option("action", action,
                 "checksum: of each path, on both nodes; diff: from the peer's files to this "
                 "node's, and where kernel settings, modules, interfaces and versions differ; "
                 "push: this node's files prevail; pull: the peer's do")
      ->required()
      ->check(CLI::IsMember({"checksum", "diff", "push", "pull"}));
}

Exit run_config(Context& context) {
  const auto answer = context.ask(
      Daemon::agent, {{"command", control::command::kConfig}, {"action", action}}, 300s);
  if (!answer) return Exit::unreachable;
  if (!accepted(context, *answer)) return Exit::refused;
  if (context.print_json(*answer)) return Exit::good;
  if (action == "checksum") return print_checksums(context, *answer);
  if (action == "diff") return print_differences(context, *answer);
  std::printf("%s\n", text(*answer, "message").c_str());
  return Exit::good;
}

}  // namespace hotpair::ctl
