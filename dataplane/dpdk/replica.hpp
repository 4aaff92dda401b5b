// One node's half of the replication put together: the engine, the kernel's table on one side, the
// port on the other. Does what it is told and measures nothing but its own turns; one turn() is
// bounded.
//
//   kernel --events--> KernelReader --> Engine --> FrameIo --> Ports       (primary)
//   kernel <--writes-- KernelWriter <-- Engine <-- FrameIo <-- Ports       (backup)
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/core/engine.hpp"
#include "dataplane/dpdk/counters.hpp"
#include "dataplane/dpdk/frame_io.hpp"
#include "dataplane/dpdk/kernel_reader.hpp"
#include "dataplane/dpdk/kernel_writer.hpp"
#include "dataplane/dpdk/leftovers.hpp"
#include "dataplane/dpdk/ports.hpp"

namespace hotpair::dpdk {

enum class Effort : std::uint8_t { none, some, saturated };  // saturated: more waits already

struct ReplicaParts {
  std::unique_ptr<Ports> ports;  // none: no device is configured
  std::unique_ptr<conntrack::Source> source;
  std::unique_ptr<conntrack::Sink> sink;
  FrameIdentity identity;
  dataplane::EngineConfig engine;
};

class Replica {
 public:
  using RelayHandler = std::function<void(Instant heard_at, Bytes frame)>;

  Replica(ReplicaParts parts, Counters& counters, const Log& log, RelayHandler on_relay);

  Effort turn(Instant now);
  // When turn() has something to do without anything arriving.
  std::optional<Instant> next_deadline(Instant now) const;

  // Returns once what was received so far is in the kernel; the error says what did not work
  // although the role is taken. The same role and epoch again changes nothing.
  Status set_role(dataplane::Role role, std::uint64_t epoch, Instant now);
  void set_keys(const dataplane::control::SetKeys& keys);
  void watch_ports(Instant now);  // call about every 100 ms
  void send_relay(Bytes frame);
  void set_pickup(const dataplane::PickupOptions& options);
  void request_verify() { engine_.request_verify(); }
  // Every change the kernel has told of so far was read from it (then the drain can begin).
  bool caught_up() const { return reader_.caught_up(); }
  void begin_drain(Instant now) { engine_.begin_drain(now); }
  bool drained(Instant since, Instant now) const { return engine_.drained(since, now); }
  void forget_peer_mac();
  void stop();

  const dataplane::Engine& engine() const { return engine_; }
  const KernelReader& reader() const { return reader_; }
  const KernelWriter& writer() const { return writer_; }
  std::uint64_t leftovers_removed() const { return leftovers_.removed(); }
  const Ports* ports() const { return ports_.get(); }
  // On the backup: the primary's word, and the own kernel has what the table says.
  bool in_sync(Instant now) const;
  int event_fd() const { return reader_.subscribed() ? reader_.event_fd() : -1; }

 private:
  Effort receive(Instant now, std::size_t max_bursts);
  bool take_frame(std::size_t port, Bytes frame,
                  Instant now);  // true when it was the replication's
  Effort transmit(Instant now);

  Counters& counters_;
  std::unique_ptr<Ports> ports_;
  std::unique_ptr<conntrack::Source> source_;
  std::unique_ptr<conntrack::Sink> sink_;
  FrameIo frames_;
  KernelWriter writer_;
  dataplane::Engine engine_;
  KernelReader reader_;
  Leftovers leftovers_;
  RelayHandler on_relay_;
  std::vector<std::uint8_t> scratch_;
  Instant last_look_{};  // at the port; what is found there came later
};

}  // namespace hotpair::dpdk
