// What lies between the keys of `election`, and the order of the remote monitors.
#include <algorithm>
#include <tuple>

#include "platform/config/schema.hpp"
#include "platform/config/values.hpp"

namespace hotpair::config {

void check_election(Context& context, const Election& election) {
  const auto refuse = [&](const std::string& key, const std::string& found,
                          const std::string& allowed) {
    context.report(context.line_of("election." + key), "election." + key, found, allowed);
  };
  const bool asks = election.split_brain == SplitBrain::witness;
  if (asks && election.witness.empty() && !context.given("election.witness"))
    refuse("witness", "",
           "the address that must answer before a takeover, as split_brain is witness");
  if (!asks && !election.witness.empty())
    refuse("witness", election.witness, "only with split_brain: witness");
  if (election.flap_backoff > election.flap_backoff_max)
    refuse(context.given("election.flap_backoff") ? "flap_backoff" : "flap_backoff_max",
           show_duration(context.given("election.flap_backoff") ? election.flap_backoff
                                                                : election.flap_backoff_max),
           "a flap_backoff (" + show_duration(election.flap_backoff) +
               ") that is not above flap_backoff_max (" + show_duration(election.flap_backoff_max) +
               ")");
}

// The nodes name a monitor to each other by its number, and the order in which the file lists them
// does not count: so they are numbered by what they watch.
void order_remote_monitors(Context& context, std::vector<RemoteMonitor>& monitors) {
  const auto watched = [](const RemoteMonitor& m) { return std::tie(m.address, m.interface); };
  for (std::size_t i = 0; i < monitors.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (!monitors[i].address.empty() && watched(monitors[i]) == watched(monitors[j])) {
        const std::string path = "monitor.remote[" + std::to_string(i) + "].address";
        context.report(context.line_of(path), path, monitors[i].address,
                       "each only once on an interface");
        break;
      }
  std::stable_sort(
      monitors.begin(), monitors.end(),
      [&](const RemoteMonitor& a, const RemoteMonitor& b) { return watched(a) < watched(b); });
}

}  // namespace hotpair::config
