// What must hold whatever happens. Looked at after each step of either node; the first violation is
// kept, with the time, and ends the run.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/node.hpp"

namespace hotpair::simulation {

class Box;
class World;

class Checkers {
 public:
  explicit Checkers(World& world) : world_(world) {}

  void started(Box& box);
  void stopped(Box& box);
  void announced(Box&) {}
  void after_step(Box& box, const std::vector<agent::Action>& actions);
  // The pair was left alone for long enough: exactly one primary, with the addresses.
  void must_be_settled();

  const std::string& violation() const { return violation_; }
  // How long two nodes of which one hears the other may both hold addresses.
  Duration both_hold_bound = 500ms;
  bool rules_may_differ = false;     // the two read their files one after the other, or not alike
  bool disk_is_reliable = true;      // else epochs may be used twice after a crash
  bool withdraw_is_reliable = true;  // else a role that was given up may be granted to nobody
  unsigned takeovers = 0;
  Duration longest_takeover{};

 private:
  struct Seen {
    agent::Role role = agent::Role::init;
    agent::Epoch epoch, primary_epoch;
    Instant last_deadline_step, faulty_at, in_sync_at, witness_at, policy_since;
    bool served = false;  // was primary in this life
    bool in_transaction = false;
    bool unready_choice = false;   // the last move began without a fault and without equal tables
    bool unagreed_choice = false;  // the same, without a common version of the protocol
    agent::SplitBrain policy = agent::SplitBrain::takeover;
    Duration hold{};
    bool pickup = false;
    Instant gates_since;  // since when hold and pickup are as they are: what has begun goes on
    std::optional<Instant> succeeded_at;  // primary in this life, after having been backup
    // As its status says it now.
    std::optional<agent::ChassisId> elected;  // beside a living peer
    bool explains = false, hears_peer = false;
    int same_instant_steps = 0;
  };
  void fail(const Box& box, const std::string& what);
  void note_move(const Box& box, const agent::NodeStatus& status, bool faulty,
                 const std::vector<agent::Action>& actions);
  void note_status(const Box& box, const agent::NodeStatus& status);
  void check_epochs(Box& box, const agent::NodeStatus& status);
  void check_grant(Box& box);
  void check_addresses();
  void check_one_primary(const Box& box);
  void check_unmoved(const Box& box);
  void check_gates(const Box& box);
  bool pair_can_talk() const;
  Duration stated_time() const;
  void check_reports(Box& box, const std::vector<agent::Action>& actions);
  void check_evidence(const Box& box, const agent::ReportRoleChange& change);
  void check_progress(Box& box);
  Seen& seen(const Box& box);

  World& world_;
  std::array<Seen, 2> seen_{};
  std::map<std::uint64_t, agent::ChassisId> epoch_owner_;
  std::optional<Instant> both_hold_since_;
  // Since when both nodes live and hear each other and yet there is not one primary, or not the one
  // that the election wants, without a word about it.
  std::optional<Instant> not_one_since_, unmoved_since_;
  std::string violation_;
};

}  // namespace hotpair::simulation
