#include <cstdio>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {

Exit run_version(Context& context) {
  const auto status = context.try_ask(Daemon::agent, {{"command", control::command::kStatus}}, 1s);
  const std::string daemon = status ? text(*status, "version") : "";
  const std::string peer = status ? text(child(*status, "peer"), "version") : "";
  const Json versions = {{"hotpair", HOTPAIR_VERSION},
                         {"hotpaird", daemon.empty() ? Json() : Json(daemon)},
                         {"peer", peer.empty() ? Json() : Json(peer)}};
  if (context.print_json(versions)) return Exit::good;
  std::printf("hotpair   %s\nhotpaird  %s\npeer      %s\n", HOTPAIR_VERSION,
              daemon.empty() ? "(not reachable)" : daemon.c_str(),
              peer.empty() ? "(not heard)" : peer.c_str());
  return Exit::good;
}

}  // namespace hotpair::ctl
