// The ruleset and its sets at work between two kernels: rounds that the primary begins, and what
// the backup does. Whose ruleset prevails is agent/core/ruleset_plan's, what is done to a kernel
// kernel_ruleset's and set_elements'. Shared by the companion's thread and connections of the peer:
// one mutex makes them take turns. State may be asked for at any time.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/daemon/kernel_ruleset.hpp"
#include "agent/daemon/peer_calls.hpp"
#include "agent/daemon/set_elements.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/nftables_watch.hpp"

namespace hotpair::daemon {

struct RulesetRules {
  bool ruleset = false;                 // the ruleset itself is synchronised
  std::vector<agent::NftSetName> sets;  // whose elements are
  agent::ReceiverChanges policy = agent::ReceiverChanges::keep;
  Duration rescan = 60s;
  std::map<std::string, std::string>
      devices;  // the cluster's name -> this box's, where they differ
  bool wanted() const { return ruleset || !sets.empty(); }
};

// For the status.
struct RulesetState {
  bool sends = false;
  bool known = false;    // the two rulesets were compared since the nodes met
  bool in_sync = false;  // they agree
  std::string checksum, peer_checksum;
  std::size_t tables = 0;
  std::string error;  // why they do not, or cannot be compared
  bool changed_on_backup = false;
  bool conflict = false;  // both had changed
  std::string kept_file;  // on the backup of then: the last ruleset that lost
  std::string last_change;
  std::uint64_t changes = 0, refused = 0;
  SetStates sets;
  std::uint64_t elements_sent = 0, elements_taken = 0, elements_repaired = 0;
  std::uint64_t set_readings = 0;  // of whole sets, in this node's kernel
};

class RulesetEngine {
 public:
  // `directory` for what must last, `run_dir` for what lasts as long as the kernel's ruleset.
  static Result<std::shared_ptr<RulesetEngine>> open(PeerCalls::Dial dial, std::string directory,
                                                     std::string run_dir, Log log);

  // Any thread.
  void set_rules(const RulesetRules& rules);
  RulesetState state() const;
  void cut();   // ends the connection to the peer
  void stop();  // that, and what runs; nothing begins any more

  // The companion's thread: does what is due, and says when to come back at the latest.
  void heard(const sys::NftablesWatch::Heard& heard);
  sys::NftablesWatch::Wanted wanted() const;  // but for what the keeper does itself
  Instant turn(bool primary, bool peer_alive);

  // An operator's words; each takes a turn.
  Status push();
  Status ask_peer_to_push();
  nlohmann::json differences();

  // A connection of the peer's, until it ends.
  void serve(sys::FileDescriptor socket);

 private:
  struct Own {
    agent::NftRuleset ruleset;
    std::string text;  // as it travels: with the cluster's names of devices
    std::string checksum;
  };
  RulesetEngine(PeerCalls::Dial dial, std::string directory, std::string run_dir, Log log,
                sys::NftablesSets sending, sys::NftablesSets keeping);
  RulesetRules rules() const;
  void take_rules();
  bool is_of_sets_alone(const sys::NftablesWatch::Heard& heard) const;
  Status look();  // at this kernel's ruleset, where it may have changed
  Instant next_look() const;
  Instant turn_as_primary();
  Instant turn_as_backup();
  Status round(sys::MessageStream& stream, bool forced);
  Status act(sys::MessageStream& stream, agent::RulesetVerdict verdict, const RulesetHave& have,
             bool forced);
  Status send(sys::MessageStream& stream, agent::RulesetVerdict verdict, bool forced);
  Failure<Error> lost();
  void note(const Status& outcome);
  void note_sets();
  void log_verdict(agent::RulesetVerdict verdict);

  RulesetHave have();
  void answer_ask(sys::MessageStream& stream);
  RulesetOutcome receive_ruleset(const std::string& text, const RulesetCommit& commit);
  bool receive_elements(sys::MessageStream& stream, const sys::Message& first);
  void hear_news(const RulesetNews& news);
  std::optional<OwnAgreement> agreement() const;
  void remember(const OwnAgreement& agreement);

  PeerCalls calls_;
  std::string directory_, run_dir_;
  Log log_;
  std::atomic<bool> primary_{false};

  std::timed_mutex turns_;  // held by whoever uses what follows; never while waiting for a push
  KernelRuleset kernel_;
  SetSender sender_;
  SetKeeper keeper_;
  std::optional<Own> own_;
  Instant looked_{}, earliest_look_{};
  std::optional<Instant> touched_;  // when the ruleset was first heard to have changed
  std::string refused_;             // checksums of a pair that the peer refused, and until when
  Instant refused_until_{}, next_ask_{};
  PeerCalls::Call call_;  // the companion's thread's
  bool lost_ = false;     // the connection of this turn is of no further use

  mutable std::mutex state_mutex_;
  RulesetRules rules_;
  bool rules_changed_ = true;
  RulesetState state_;
};

}  // namespace hotpair::daemon
