// Asks addresses, each at its own interval, whether they are there: by ARP or neighbour discovery
// on a device, or by ICMP echo. Sockets are opened when the first address needs them and stay.
// Answers that match nothing asked are counted by reason and otherwise ignored. Main loop only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/daemon/probe_record.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/netlink_link.hpp"
#include "platform/linux/probe_packets.hpp"
#include "platform/linux/probe_socket.hpp"

namespace hotpair::daemon {

enum class ProbeMethod : std::uint8_t { arp, neighbour, echo };
const char* to_string(ProbeMethod method);  // "arp", "nd", "icmp"

struct ProbeTarget {
  ProbeMethod method = ProbeMethod::echo;
  sys::IpAddress address;
  std::string device;  // empty, echo only: by the routing table, any device
  Duration interval = 200ms;
  int lost = 3;
  friend bool operator==(const ProbeTarget&, const ProbeTarget&) = default;
};

class Prober {
 public:
  using ProbeId = std::uint64_t;

  // Either may be empty; neither may start or stop a probe.
  struct Callbacks {
    std::function<void()> changed;   // what view() says of reached differs
    std::function<void()> answered;  // each time
  };

  struct View {
    Reached reached = Reached::unknown;
    std::optional<Instant> last_answer;
    std::string trouble;  // why the last probe could not be sent; empty: it was
  };

  Prober(sys::EventLoop& loop, const sys::LinkMonitor& links);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // The first probe leaves in the loop's next turn.
  ProbeId start(const ProbeTarget& target, Callbacks callbacks);
  void stop(ProbeId probe);
  View view(ProbeId probe) const;

  // Answers that were not accepted, by reason.
  const std::map<std::string, std::uint64_t>& rejected() const { return rejected_; }

 private:
  struct Probe {
    ProbeTarget target;
    Callbacks callbacks;
    ProbeRecord record;
    int ifindex = 0;  // it left by; 0: any
    sys::MacAddress mac{};
    std::string trouble;
    sys::TimerId timer = 0;
  };
  using Socket = std::optional<sys::ProbeSocket>;

  void turn(ProbeId id);
  std::string send(Probe& probe, std::uint16_t sequence);
  Status on_socket(Socket& socket, const std::function<Result<sys::ProbeSocket>()>& open,
                   const sys::ProbeSocket::Visitor& visit);
  void on_arp(const sys::ProbeSocket::Answer& answer);
  void on_neighbour(const sys::ProbeSocket::Answer& answer);
  void on_echo(const sys::ProbeSocket::Answer& answer);
  void reject(const char* reason) { ++rejected_[reason]; }

  template <typename Takes>
  void settle(const Takes& takes);

  sys::EventLoop& loop_;
  const sys::LinkMonitor& links_;
  std::map<ProbeId, Probe> probes_;
  ProbeId last_id_ = 0;
  std::uint16_t identifier_;  // of this program's echoes
  std::uint64_t cookie_;
  Socket arp_, neighbours_, echo4_, echo6_;
  std::map<std::string, std::uint64_t> rejected_;
};

}  // namespace hotpair::daemon
