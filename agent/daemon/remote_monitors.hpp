// The remote monitors of the configuration: which of them answer this node. An address on the link
// of its interface (by the addresses that the pair has there) is asked by ARP or neighbour
// discovery, which needs no address of our own, so the backup can ask too; any other by ICMP echo
// from whatever address this node has. Main loop only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/core/event.hpp"
#include "agent/daemon/links.hpp"
#include "agent/daemon/prober.hpp"
#include "platform/config/config.hpp"

namespace hotpair::daemon {

ProbeTarget probe_target(const config::Config& config, const config::RemoteMonitor& monitor);

// A remote monitor as status shows it.
struct RemoteMonitorRow {
  std::string address, interface, method;
  Reached reached = Reached::unknown;
  std::optional<Instant> last_answer;
  int weight = 0;
  std::string trouble;  // why it cannot be asked
};

class RemoteMonitors {
 public:
  RemoteMonitors(Prober& prober, Emit emit) : prober_(prober), emit_(std::move(emit)) {}
  ~RemoteMonitors();
  RemoteMonitors(const RemoteMonitors&) = delete;
  RemoteMonitors& operator=(const RemoteMonitors&) = delete;

  // A monitor that is asked as before keeps what is known of it. The whole set is told at once, and
  // then with each change; a new one is not known until its first answer, or its loss.
  void configure(const config::Config& config);

  std::vector<RemoteMonitorRow> rows() const;

 private:
  struct Watched {
    config::RemoteMonitor monitor;
    ProbeTarget target;
    Prober::ProbeId probe = 0;
  };

  void tell();

  Prober& prober_;
  Emit emit_;
  std::vector<Watched> watched_;  // as in the configuration: bit i of the event
};

// The witness of the split-brain policy: an address that is asked by ICMP echo along the routing
// table. Told are each of its answers, and its loss; nothing without a witness.
class Witness {
 public:
  Witness(Prober& prober, Emit emit) : prober_(prober), emit_(std::move(emit)) {}
  ~Witness() { prober_.stop(probe_); }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  void configure(const std::string& address);  // empty: none
  Prober::View view() const { return prober_.view(probe_); }

 private:
  void answered();

  Prober& prober_;
  Emit emit_;
  std::string address_;
  Prober::ProbeId probe_ = 0;
};

}  // namespace hotpair::daemon
