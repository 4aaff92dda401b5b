// `hotpair password`: which passwords both nodes have loaded, and the switch to the next one. Names
// them by an id; a password itself never passes here.
#include <cstdio>
#include <vector>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {
namespace {

std::string action;
bool back = false;

Cell how_used(const Json& use, const std::string& key) {
  if (!use.is_object()) return {"(not heard)", Tone::warning};
  if (text(use, "used") == key) return {"USED", Tone::good};
  if (text(use, "other") == key) return {"accepted"};
  return {"NOT LOADED", Tone::warning};
}

void print_state(const Style& style, const Json& answer) {
  const Json& node = child(answer, "node");
  const Json& peer = child(answer, "peer");
  std::vector<std::vector<Cell>> rows = {{"password", "line of the file", "this node", "peer"}};
  int line = 0;
  for (const Json& loaded : child(answer, "loaded")) {
    const std::string key = text(loaded, "key");
    rows.push_back({key, std::to_string(++line), how_used(node, key), how_used(peer, key)});
  }
  for (const char* which : {"used", "other"}) {
    const std::string key = text(peer, which);
    if (!key.empty() && key != text(node, "used") && key != text(node, "other"))
      rows.push_back({key, "-", how_used(node, key), how_used(peer, key)});
  }
  std::printf("%s\nNext: %s\n", columns(style, rows).c_str(), text(answer, "next_step").c_str());
}

}  // namespace

void add_password_options(CLI::App& app) {
  app.add_option("action", action, "status, or switch: both nodes go over to the next password")
      ->required()
      ->check(CLI::IsMember({"status", "switch"}));
  app.add_flag("--back", back, "switch: to the first line of the file instead of the second");
}

Exit run_password(Context& context) {
  auto answer = context.ask(
      Daemon::agent, {{"command", control::command::kPassword}, {"action", action}, {"back", back}},
      10s);
  if (!answer) return Exit::unreachable;
  if (!accepted(context, *answer)) return Exit::refused;
  if (context.print_json(*answer)) return Exit::good;
  if (action == "status") {
    print_state(context.style, *answer);
  } else {
    std::printf("%s\n", text(*answer, "message").c_str());
  }
  return Exit::good;
}

}  // namespace hotpair::ctl
