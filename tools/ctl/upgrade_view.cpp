// A rolling upgrade that goes on, or stopped, in the status: how far it is and what to type.
#include "tools/ctl/json_access.hpp"
#include "tools/ctl/status_view.hpp"

namespace hotpair::ctl {

using Json = nlohmann::json;

std::string upgrade_sentence(const Json& status) {
  const Json& upgrade = child(status, "upgrade");
  if (!upgrade.is_object()) return "";
  const std::string began = text(upgrade, "began"), there = text(upgrade, "at_driver");
  const std::string state = there.empty() ? text(upgrade, "state") : there;
  std::string line = state == "elsewhere"  ? "An upgrade goes on, or stopped"
                     : state == "running"  ? "An upgrade runs"
                     : state == "aborting" ? "An upgrade is given up"
                     : state == "stopped"  ? "An upgrade STOPPED"
                                           : "An upgrade was CUT OFF";
  line += ", begun on " + text(upgrade, "driver");
  if (!began.empty()) line += " " + spoken_time(began);
  if (child(upgrade, "step").is_null()) return line;
  line += ", at step " + text(upgrade, "step") + " of " + text(upgrade, "of") + " since " +
          spoken_time(text(upgrade, "step_since")) + ": " + text(upgrade, "title");
  return line;
}

std::string upgrade_view(const Style& style, const Json& status) {
  const std::string line = upgrade_sentence(status);
  if (line.empty()) return "";
  const Json& upgrade = child(status, "upgrade");
  const std::string there = text(upgrade, "at_driver"), why = text(upgrade, "why");
  const std::string state = there.empty() ? text(upgrade, "state") : there;
  const Tone tone = state == "stopped" || state == "cut off" ? Tone::warning : Tone::plain;
  return style(Tone::strong, "Upgrade") + "\n  " + style(tone, line) + "\n" +
         (why.empty() ? "" : "  why:  " + why + "\n") + "  next: " + text(upgrade, "next") + "\n";
}

}  // namespace hotpair::ctl
