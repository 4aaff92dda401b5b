#include <cstdio>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"
#include "tools/ctl/status_view.hpp"

namespace hotpair::ctl {

// The agent's answer as it is, and the data plane's beside it: two processes, of which one may be
// down.
Exit run_status(Context& context) {
  auto answer = context.ask(Daemon::agent, {{"command", control::command::kStatus}});
  if (!answer) return Exit::unreachable;
  if (!accepted(context, *answer)) return Exit::refused;
  auto dataplane =
      context.try_ask(Daemon::dataplane, {{"command", control::command::kDataplaneStatus}}, 1s);
  (*answer)["dataplane"] =
      dataplane ? *dataplane : Json{{"ok", false}, {"error", dataplane.error().message}};
  if (!context.print_json(*answer)) std::fputs(status_view(context.style, *answer).c_str(), stdout);
  return Exit::good;
}

}  // namespace hotpair::ctl
