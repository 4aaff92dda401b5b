#include <cstdio>
#include <vector>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"
#include "tools/ctl/status_view.hpp"

namespace hotpair::ctl {

// Every criterion in its order with both values; the deciding one is marked.
Exit run_why(Context& context) {
  auto answer = context.ask(Daemon::agent, {{"command", control::command::kWhy}});
  if (!answer) return Exit::unreachable;
  if (!accepted(context, *answer)) return Exit::refused;
  if (context.print_json(*answer)) return Exit::good;

  std::printf("This node is %s (epoch %s) since %s: %s\n",
              context.style(Tone::strong, text(*answer, "role")).c_str(),
              text(*answer, "epoch").c_str(), spoken_time(text(*answer, "since")).c_str(),
              text(*answer, "reason").c_str());
  const std::string election = election_sentence(*answer);
  std::printf("%s\n", election.empty() ? "No peer was heard: there is nothing to elect."
                                       : election.c_str());
  for (const char* key : {"suppressed", "conflict"}) {
    const std::string sentence = text(*answer, key);
    if (!sentence.empty()) std::printf("%s\n", context.style(Tone::warning, sentence).c_str());
  }
  std::vector<std::vector<Cell>> rows = {{"criterion", "this node", "peer", ""}};
  for (const Json& row : child(*answer, "criteria")) {
    const bool decides = flag(row, "decides");
    const Tone tone = decides ? Tone::strong : Tone::plain;
    rows.push_back({{text(row, "criterion"), tone},
                    {text(row, "node"), tone},
                    {text(row, "peer"), tone},
                    {decides ? "<- decides" : "", tone}});
  }
  if (rows.size() > 1) std::printf("\n%s", columns(context.style, rows).c_str());
  return Exit::good;
}

}  // namespace hotpair::ctl
