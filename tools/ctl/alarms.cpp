// The second line of `hotpair status`: all that is wrong, each in a few words as the agent says it,
// or that nothing is.
#include "tools/ctl/json_access.hpp"
#include "tools/ctl/status_view.hpp"

namespace hotpair::ctl {

Verdict alarms(const nlohmann::json& status) {
  const nlohmann::json& list = child(status, "alarms");
  if (!list.is_array())
    return {"This hotpaird names no alarms: it is older than this command.", Tone::warning};
  std::string line;
  for (const nlohmann::json& alarm : list) line += (line.empty() ? "" : "; ") + text(alarm, "text");
  if (line.empty())
    return {"No alarms: nothing is forced, held back, lost or in conflict.", Tone::good};
  return {"ALARM: " + line + " (hotpair doctor)", Tone::bad};
}

}  // namespace hotpair::ctl
