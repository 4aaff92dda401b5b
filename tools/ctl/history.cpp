#include <cstdio>
#include <vector>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"
#include "tools/ctl/status_view.hpp"

namespace hotpair::ctl {
namespace {

int limit = 20;
bool show_steps = false;
bool show_health = false;

std::string milliseconds(const Json& object, const char* key) {
  const auto ms = number(object, key);
  if (!ms) return "-";
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%.2f ms", *ms);
  return buffer;
}

std::string value(const Json& health, const char* key) {
  const Json& found = child(health, key);
  if (found.is_boolean()) return found.get<bool>() ? "up" : "DOWN";
  const std::string words = text(health, key);
  return words.empty() ? "-" : words;
}

// Both nodes as the election saw them at that moment.
void print_health(const Style& style, const Json& change) {
  const Json& node = child(change, "health");
  const Json& peer = child(change, "peer_health");
  if (!node.is_object()) return;
  std::vector<std::vector<Cell>> rows = {{"health", "this node", "peer"}};
  for (const auto& [key, ignored] : node.items())
    rows.push_back({key, value(node, key.c_str()), value(peer, key.c_str())});
  std::printf("%s", columns(style, rows).c_str());
}

void print_change(const Style& style, const Json& change) {
  const std::string move = text(change, "from") + " -> " + text(change, "to");
  std::printf("%s  epoch %s  %s  %s", spoken_time(text(change, "time")).c_str(),
              text(change, "epoch").c_str(),
              style(text(change, "to") == "fault" ? Tone::bad : Tone::strong, move).c_str(),
              text(change, "kind").c_str());
  if (number(change, "total_ms")) std::printf("  in %s", milliseconds(change, "total_ms").c_str());
  std::printf("\n  %s\n", text(change, "reason").c_str());
  const Json& election = child(change, "election");
  if (election.is_object())
    std::printf("  decided by %s: %s\n", text(election, "criterion").c_str(),
                spoken_values(election).c_str());
  if (show_health) print_health(style, change);
  for (const Json& step : child(change, "steps")) {
    const bool ok = flag(step, "ok");
    if (ok && !show_steps) continue;
    std::printf("    %-22s %12s  %s\n", text(step, "name").c_str(),
                milliseconds(step, "ms").c_str(),
                ok ? "done" : style(Tone::bad, "FAILED: " + text(step, "error")).c_str());
  }
}

}  // namespace

void add_history_options(CLI::App& app) {
  app.add_option("--limit", limit, "how many changes, the newest")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_flag("--health", show_health, "both nodes' health at each, as the election compared it");
  app.add_flag("--steps", show_steps, "the timed steps of each; failed ones are always shown");
}

Exit run_history(Context& context) {
  auto answer =
      context.ask(Daemon::agent, {{"command", control::command::kHistory}, {"limit", limit}});
  if (!answer) return Exit::unreachable;
  if (!accepted(context, *answer)) return Exit::refused;
  if (context.print_json(*answer)) return Exit::good;
  const Json& changes = child(*answer, "changes");
  if (changes.empty()) std::printf("The role of this node has not changed yet.\n");
  for (const Json& change : changes) print_change(context.style, change);
  return Exit::good;
}

}  // namespace hotpair::ctl
