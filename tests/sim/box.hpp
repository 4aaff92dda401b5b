// One box of the simulated pair: the agent (Node, Association, heartbeat thread), its warden, the
// data plane, the address table, the disk. It does what a shell does and decides nothing.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/core/association.hpp"
#include "agent/core/node.hpp"
#include "tests/sim/box_clock.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/toy_cipher.hpp"

namespace hotpair::simulation {

// What an action can be made to do instead of succeeding.
struct Fault {
  unsigned fail_permille = 0;
  unsigned silent_permille = 0;  // no answer ever comes
  Duration took{};               // how long it takes
};
struct Faults {
  Fault persist{0, 0, 2ms}, claim{0, 0, 3ms}, withdraw{0, 0, 2ms}, dataplane{0, 0, 1ms},
      drain{0, 0, 5ms};
};

class World;
class Box;

// Sees what each agent is started with and every step it takes, before the actions are carried out.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  virtual void started(const Box& box, Instant now) = 0;
  virtual void stepped(const Box& box, const agent::Event& event, const agent::Actions& actions,
                       const agent::Node& after) = 0;
  virtual void reconfigured(const Box& box, Instant at, const agent::Actions& actions,
                            const agent::Node& after) = 0;
};

class Box {
 public:
  Box(World& world, int index, Rng rng);

  // --- what happens to it
  void start_agent();
  void kill_agent();  // kill -9; the warden takes the addresses away
  void power_off();   // everything stops; the disk survives
  void start_dataplane();
  void kill_dataplane();
  void stall(Duration how_long);    // the main loop stands still, the heartbeat thread goes on
  void pause(Duration how_long);    // the whole box stands still
  void leap(Duration ahead);        // its monotonic clock leaps
  void suspend(Duration how_long);  // the whole box stands still, and its clocks with it
  void set_link(std::size_t interface, bool up);
  void set_link(std::size_t interface, const agent::LinkChanged& state);  // of other speeds
  void set_modules(std::uint8_t failed);
  void set_management(bool up);
  void set_remote(std::size_t monitor, bool reached);
  void set_witness(bool answers);
  void compare_partitions(const char* lacking_here, const char* lacking_there);
  void command(agent::OperatorCommand::What what);
  // Changes the configuration under a running agent; one that stands still misses it.
  void reload(const agent::NodeConfig& wanted);
  void receive(agent::PathId path, Bytes frame);
  void tell_dataplane_state();

  // --- what it is
  Instant local_now() const;  // by its own clock
  bool powered() const { return powered_; }
  std::optional<Instant> next_deadline() const { return node_->next_deadline(); }
  bool agent_runs() const { return node_ != nullptr; }
  bool exits() const { return exits_; }  // was asked to
  bool responsive() const { return agent_runs() && !stalled_ && !paused_; }
  bool holds_addresses() const { return held_ && powered_ && !paused_; }
  agent::NodeStatus status() const;
  const agent::Node& node() const { return *node_; }
  agent::ChassisId id() const { return config.self; }
  const agent::Heartbeat& published() const { return published_; }
  bool persist_in_flight() const { return disk_as_of_ < persist_requests_; }
  agent::NodeConfig config;  // used at the next start
  BoxClock clock;
  std::uint16_t group = 7;
  std::string password = "secret";
  agent::PersistedState disk;
  Faults faults;
  std::set<std::size_t> links_down;
  std::map<std::size_t, agent::LinkChanged> links_of_other_speeds;
  bool management_up = true;
  std::uint8_t failed_modules = 0;
  std::uint32_t remote_reached = UINT32_MAX;
  bool witness_answers = true;
  bool next_version = false;  // says more than this version understands
  std::uint64_t sessions = 1000;

  struct Dataplane {
    bool alive = false;
    agent::DataplaneRole role = agent::DataplaneRole::idle;
    agent::Epoch epoch;
    bool in_sync = false;
    // Frames of a lower epoch are ignored.
    bool follows(const Dataplane& primary) const {
      return primary.role == agent::DataplaneRole::primary &&
             role == agent::DataplaneRole::backup && epoch <= primary.epoch;
    }
  } dataplane;

 private:
  friend class World;
  void deliver(const agent::Event& event);
  void step(const agent::Event& event);
  void finish_step();
  void carry_out(const std::vector<agent::Action>& actions);
  void carry_out(const agent::PersistState& action);
  void carry_out(const agent::WithdrawAddresses& action);
  void carry_out(const agent::ClaimAddresses& action);
  void carry_out(const agent::SetDataplaneRole& action);
  void carry_out(const agent::DrainDataplane& action);
  void carry_out(const agent::PublishHeartbeat& action);
  void carry_out(const agent::Exit& action);
  void carry_out(const agent::Announce& action);
  template <typename Other>
  void carry_out(const Other&) {}  // reports, which the world tells
  void answer_later(agent::ActionId id, const Fault& fault, Fact failure,
                    std::function<void()> effect);
  void complete_after(Duration delay, std::function<void()> what);
  void change_addresses(agent::ActionId id, Fault fault, bool hold);
  void arm_deadline();
  void beat();
  void send_heartbeat(bool on_beat);
  const agent::Heartbeat& decoded(Bytes body);
  void tell_links();
  void tell_witness();
  void mismatch(agent::PathId path, Bytes body, const agent::RejectedFrame& rejected);
  void resume(Duration stood, bool whole_box);
  Duration fencing_time() const;
  void fence();
  void end_agent();
  void after(Duration delay, std::function<void()> what);

  World& world_;
  int index_;
  Rng rng_;
  bool powered_ = false;
  std::unique_ptr<ToyCipher> cipher_;
  std::unique_ptr<agent::Association> association_;
  std::unique_ptr<agent::Node> node_;
  agent::Actions actions_;
  agent::Heartbeat published_;
  std::uint64_t sequence_ = 0;
  std::uint64_t incarnation_ = 0;
  std::uint64_t address_requests_ = 0, addresses_as_of_ = 0;
  std::uint64_t persist_requests_ = 0, disk_as_of_ = 0;
  // What a frame is read and written in; not cleared for each.
  std::array<std::uint8_t, agent::kMaxBodySize> heard_, said_;
  std::array<std::uint8_t, agent::kHeartbeatHeaderSize + agent::kMaxBodySize + agent::kTagSize>
      frame_;
  // The body that was decoded last and what it says: most differ by their stamp alone.
  std::vector<std::uint8_t> decoded_body_;
  agent::Heartbeat decoded_;
  std::optional<Instant> deadline_at_;
  bool peer_direct_silent_ = false;
  Instant direct_heard_, loop_ran_, addresses_busy_until_;
  agent::ActionId dataplane_obeyed_ = 0;  // the newest of its orders
  bool held_ = false, fenced_ = false, stalled_ = false, paused_ = false, exits_ = false;
  std::deque<agent::Event> waiting_;
  std::deque<std::pair<agent::PathId, std::vector<std::uint8_t>>> unread_;
  std::deque<Duration> unread_at_;  // by the wall clock
};

}  // namespace hotpair::simulation
