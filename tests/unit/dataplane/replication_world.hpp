// Two engines, their kernels and the network between them, in one thread and driven by one seed.
// Time jumps from event to event, so minutes of replication pass in milliseconds.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataplane/core/engine.hpp"
#include "tests/unit/dataplane/made_sessions.hpp"

namespace hotpair::dataplane::testing {

struct KeyHash {
  std::size_t operator()(const SessionKey& key) const { return digest_key(key); }
};
using Kernel = std::unordered_map<SessionKey, SessionState, KeyHash>;

struct NetworkWeather {
  unsigned loss_percent = 0, duplicate_percent = 0;
  Duration least_delay = 50us, most_delay = 200us;  // frames overtake each other when these differ
  bool cut = false;
};

class Node final : public SessionSink {
 public:
  void on_upsert(const SessionView& session, bool) override { write(expanded(session)); }
  void write(const Session& session) { kernel[session.key] = session.state; }
  void on_remove(const SessionKey& key) override { kernel.erase(key); }
  void on_merge(const Session& session) override {
    if (kernel.emplace(session.key, session.state).second) merged.push_back(session);
  }

  std::unique_ptr<Engine> engine;
  Kernel kernel;
  std::vector<Session> merged;  // events of the kernel, still to be told to the engine
};

class World {
 public:
  explicit World(std::uint64_t seed, std::uint32_t max_sessions = 8192);

  // Node 0 starts as the primary, node 1 as the backup.
  Node& primary() { return nodes_[primary_]; }
  Node& backup() { return nodes_[1 - primary_]; }
  Rng& rng() { return rng_; }
  Instant now() const { return now_; }
  NetworkWeather weather;
  std::uint64_t keys = 500;         // the traffic's sessions are drawn from so many
  std::uint64_t changes_per_s = 0;  // of the primary's kernel
  bool dumps_when_wanted = false;   // the primary's shell reads its kernel when the engine asks
  bool events_lost = false;         // the primary is not told (netlink overrun)

  void run(Duration time);
  bool run_until_in_sync(Duration most);
  void change_something();
  void start_dump();  // of the primary's kernel, delivered while traffic goes on
  void swap_roles();
  void restart_backup();
  void restart_primary();
  void
  crash_and_take_over();      // the primary's data plane dies; the backup takes over; it comes back
  bool flip_bit(Node& node);  // in the content of one session; false when there is none

  bool at_rest() {
    return primary().engine->drained(now_ + 1ms, now_) && !dump_running() &&
           !backup().engine->offering();
  }
  bool dump_running() const { return !dump_.empty() || ending_dump_; }
  // Empty when both tables and both kernels hold the same sessions; else what differs.
  std::string difference();
  std::string account();  // status and counters of both engines, for people
  std::uint64_t frames() const { return frames_; }

 private:
  struct Packet {
    Instant at;
    std::uint64_t order;
    std::size_t to;
    std::vector<std::uint8_t> bytes;
    bool operator<(const Packet& o) const { return at != o.at ? at > o.at : order > o.order; }
  };

  std::unique_ptr<Engine> make_engine(Node& node);
  void step();
  void pump(std::size_t node);
  void send(std::size_t to, Bytes bytes);
  void deliver_due();
  void feed_dump();
  std::optional<Instant> next_event() const;

  Rng rng_;
  std::uint32_t max_sessions_;
  Instant now_{1s}, traffic_at_{1s};
  std::array<Node, 2> nodes_;
  std::size_t primary_ = 0;
  std::uint64_t epoch_ = 1, order_ = 0, frames_ = 0;
  std::priority_queue<Packet> packets_;
  std::vector<Session> dump_;
  bool ending_dump_ = false;
};

}  // namespace hotpair::dataplane::testing
