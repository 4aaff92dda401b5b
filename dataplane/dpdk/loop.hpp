// The main loop of hotpair-dataplane, in one thread on one lcore: turns of the replica, messages of
// the agent, the control socket, reports, rest. Obeys the agent and decides nothing, but for one
// rule: a primary whose agent is gone and that hears of a newer epoch stops being primary.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/dpdk/agent_link.hpp"
#include "dataplane/dpdk/control_server.hpp"
#include "dataplane/dpdk/counters.hpp"
#include "dataplane/dpdk/idling.hpp"
#include "dataplane/dpdk/replica.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/event_loop.hpp"

namespace hotpair::dpdk {

struct LoopOptions {
  AgentLinkOptions agent;
  std::string control_path;
};

class Loop {
 public:
  // `counters` are those the port counts in.
  static Result<std::unique_ptr<Loop>> create(const LoopOptions& options, ReplicaParts parts,
                                              Counters& counters, Log log);

  sys::EventLoop& events() { return *events_; }
  void set_pickup(const dataplane::PickupOptions& options) { replica_.set_pickup(options); }
  // Until stop() of the event loop.
  void run();

 private:
  struct Drain {
    std::uint32_t id = 0;
    std::optional<Instant> since;  // when all the kernel had told was read
    Instant until{};
  };
  Loop(std::unique_ptr<sys::EventLoop> events, const LoopOptions& options, ReplicaParts parts,
       Counters& counters, Log log);

  void obey(const dataplane::control::ToDataplane& message);
  void set_role(const dataplane::control::SetRole& order);
  void begin_drain(std::uint32_t id);
  void finish_drain(bool ok, const std::string& error);
  void watch_drain(Instant now);
  void watch(Instant now);  // every few milliseconds: what must not be late
  void yield_to_newer_epoch(const dataplane::EngineStatus& status, Instant now);
  void report(const dataplane::EngineStatus& status, Instant now);
  bool rest(Effort effort, Instant now);  // false: stop
  void watch_for_wakes(bool wanted);

  std::unique_ptr<sys::EventLoop> events_;
  Log log_;
  Counters& counters_;
  bool agent_connected_ = false;
  Replica replica_;
  AgentLink agent_;
  std::unique_ptr<ControlServer> control_;
  Idling idling_;
  std::optional<Drain> drain_;
  dataplane::control::State reported_;
  bool peer_was_heard_ = false;
  Instant watched_{}, ports_watched_{}, reported_at_{}, notified_at_{};
  std::optional<Duration> watchdog_;
  std::vector<int> waking_;  // descriptors that end a rest at present
};

}  // namespace hotpair::dpdk
