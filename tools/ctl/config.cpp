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

using Rows = std::vector<std::vector<Cell>>;

// True: both are the same. `agreed`: they are, though the boxes print them otherwise; or they are
// not, whatever was told last.
bool add_row(Rows& rows, const std::string& what, const std::string& own, const std::string& peer,
             std::optional<bool> agreed = std::nullopt) {
  const bool same = agreed.value_or(own == peer);
  rows.push_back({what, own, peer.empty() ? "(not heard)" : peer,
                  same ? Cell("same", Tone::good) : Cell("DIFFERENT", Tone::bad)});
  return same;
}

bool add_files(Rows& rows, const Json& answer) {
  const Json& own = child(answer, "own");
  const Json& peer = child(answer, "peer");
  bool same = peer.is_object();
  const auto add = [&](const std::string& path, const std::string& key) {
    same = add_row(rows, path, text(own, key.c_str()), text(peer, key.c_str())) && same;
  };
  for (const Json& path : child(answer, "paths"))
    if (path.is_string()) add(path.get<std::string>(), path.get<std::string>());
  add("all", "");
  return same;
}

bool add_ruleset(Rows& rows, const Json& ruleset) {
  constexpr std::size_t kDigits = 32;
  bool same = count(ruleset, "in_sync") == 1;
  if (flag(ruleset, "nft_ruleset"))
    same = add_row(rows, "(ruleset)", text(ruleset, "checksum").substr(0, kDigits),
                   text(ruleset, "peer_checksum").substr(0, kDigits),
                   same ? std::optional(true) : std::nullopt) &&
           same;
  for (const Json& set : child(ruleset, "sets"))
    same = add_row(rows, "(set " + text(set, "set") + ")", text(set, "digest"),
                   text(set, "peer_digest"), count(set, "in_sync") == 1) &&
           same;
  return same;
}

// One line a path and one for all, the ruleset and its sets, both nodes side by side.
Exit print_checksums(const Context& context, const Json& files, const Json& ruleset) {
  Rows rows = {{"path", "this node", "peer", ""}};
  bool same = files.is_null() || add_files(rows, files);
  if (ruleset.is_object()) same = add_ruleset(rows, ruleset) && same;
  const Exit exit = same ? Exit::good : Exit::refused;
  if (context.json) return exit;
  std::printf("%s", columns(context.style, rows).c_str());
  for (const std::string& error : {text(files, "peer_error"), text(ruleset, "error")})
    if (!error.empty()) std::printf("the peer: %s\n", error.c_str());
  return exit;
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
  return same ? Exit::good : Exit::refused;
}

Exit print_ruleset_difference(const Json& answer) {
  if (text(answer, "own_text") == text(answer, "peer_text")) return Exit::good;
  const std::string theirs = write_temporary(answer, "peer_text");
  const std::string ours = write_temporary(answer, "own_text");
  run_diff("ruleset", theirs, ours);
  for (const auto& file : {theirs, ours})
    if (file != "/dev/null") ::unlink(file.c_str());
  return Exit::refused;
}

bool differs(const Json& files, const Json& ruleset) {
  return !child(files, "differences").empty() || !child(files, "facts").empty() ||
         text(ruleset, "own_text") != text(ruleset, "peer_text");
}

// Asks for the files and for the ruleset, whichever are synchronised; the answers by these names.
// None: the daemon is not reachable. An answer that is a refusal was said, and is `refused`.
std::optional<Json> ask_for_both(const Context& context, bool& refused) {
  const auto status = context.try_ask(Daemon::agent, {{"command", control::command::kStatus}});
  const Json known = status ? *status : Json::object();
  Json answers = Json::object();
  const Json& ruleset = child(known, "ruleset");
  const auto ask = [&](const char* command, const char* name) {
    auto answer = context.ask(Daemon::agent, {{"command", command}, {"action", action}}, 300s);
    if (!answer) return false;
    refused = !accepted(context, *answer) || refused;
    answers[name] = std::move(*answer);
    return true;
  };
  // Without either the daemon says what is missing.
  if (known.contains("config") || !ruleset.is_object())
    if (!ask(control::command::kConfig, "files")) return std::nullopt;
  if (!ruleset.is_object()) return answers;
  if (action == "checksum")
    answers["ruleset"] = ruleset;
  else if (flag(ruleset, "nft_ruleset") && !ask(control::command::kRuleset, "ruleset"))
    return std::nullopt;
  return answers;
}

}  // namespace

void add_config_options(CLI::App& app) {
  app.add_option("action", action,
                 "checksum: of each path, the ruleset and each set, on both nodes; diff: from the "
                 "peer's files and ruleset to this node's, and where kernel settings, modules, "
                 "interfaces and versions differ; "
                 "push: this node's files prevail; pull: the peer's do")
      ->required()
      ->check(CLI::IsMember({"checksum", "diff", "push", "pull"}));
}

Exit run_config(Context& context) {
  bool refused = false;
  const auto answers = ask_for_both(context, refused);
  if (!answers) return Exit::unreachable;
  if (refused) return Exit::refused;
  const Json& files = child(*answers, "files");
  const Json& ruleset = child(*answers, "ruleset");
  Json whole = files.is_object() ? files : Json{{"ok", true}};
  if (ruleset.is_object()) whole["ruleset"] = ruleset;
  const bool told = context.print_json(whole);
  if (action == "checksum") return print_checksums(context, files, ruleset);
  if (told && action == "diff") return differs(files, ruleset) ? Exit::refused : Exit::good;
  if (told) return Exit::good;
  if (action == "diff") {
    const Exit one = files.is_object() ? print_differences(context, files) : Exit::good;
    const Exit other = print_ruleset_difference(ruleset);
    if (one == Exit::good && other == Exit::good) std::printf("no difference\n");
    return one == Exit::good ? other : one;
  }
  for (const Json* answer : {&files, &ruleset})
    if (answer->is_object()) std::printf("%s\n", text(*answer, "message").c_str());
  return Exit::good;
}

}  // namespace hotpair::ctl
