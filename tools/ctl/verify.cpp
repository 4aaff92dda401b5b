#include <cstdio>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {

// Equal digests prove equal tables; anything less than a complete, equal comparison is "different".
Exit run_verify(Context& context) {
  auto answer = context.ask(Daemon::dataplane, {{"command", control::command::kVerify}}, 10s);
  if (!answer) return Exit::unreachable;
  if (!accepted(context, *answer)) return Exit::refused;
  const bool equal = flag(*answer, "in_sync") && count(*answer, "different") == 0;
  if (!context.print_json(*answer)) {
    std::printf(
        "%s: %s of %s buckets compared, %s different; %s sessions here, %s at the peer (%.1f ms)\n",
        context.style(equal ? Tone::good : Tone::bad, equal ? "in sync" : "NOT IN SYNC").c_str(),
        spoken_count(count(*answer, "compared")).c_str(),
        spoken_count(count(*answer, "buckets")).c_str(),
        spoken_count(count(*answer, "different")).c_str(),
        spoken_count(count(*answer, "sessions")).c_str(),
        spoken_count(count(*answer, "peer_sessions")).c_str(),
        number(*answer, "took_ms").value_or(0));
    if (!equal) std::printf("What differs is being sent again; look at: hotpair status\n");
  }
  return equal ? Exit::good : Exit::refused;
}

}  // namespace hotpair::ctl
