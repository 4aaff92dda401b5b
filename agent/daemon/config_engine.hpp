// The configuration sync at work: rounds that this node begins, and what it does when the peer
// does. A round compares both nodes' files with what they last agreed on (agent/core/config_sync)
// and sends what the core's plan says as one change set.
//
// Called from the sync's thread and from sessions of the peer link: one mutex makes them take
// turns. Status and rules may be asked for and set from the main loop at any time.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/daemon/config_change.hpp"
#include "agent/daemon/config_files.hpp"
#include "agent/daemon/config_wire.hpp"
#include "agent/daemon/peer_calls.hpp"

namespace hotpair::daemon {

// What is known of the sync, for the status.
struct ConfigState {
  bool known = false;  // a round was completed since the start
  bool in_sync = false;
  std::string error;                         // of the last round; empty: none
  std::vector<std::string> problems;         // files of this node that cannot be taken in
  std::vector<std::string> kept, conflicts;  // as in ConfigPlan
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  std::string checksum;                      // of this node
  std::map<std::string, std::string> parts;  // of each path that belongs to a logical system
  std::string last_change;                   // wall time of the last change set that went through
  std::uint64_t changes = 0;                 // change sets that went through, sent or received
  std::uint64_t refused = 0;                 // that did not
};

class ConfigEngine {
 public:
  ConfigEngine(PeerCalls::Dial dial, std::string directory, Log log);

  void set_rules(const ConfigRules& rules);
  ConfigRules rules() const;
  void set_primary(bool primary) { primary_ = primary; }
  ConfigState state() const;

  void recover();  // once, at the start
  // The end of the agent: what is under way is ended and undone. Any thread.
  void stop();
  // What this node has; the directories to watch are in it.
  ConfigScan look();
  // Makes each file of `substitute` that is not what its template makes of it.
  void render_own();
  // Compares with the peer and sends what differs. Fails when the peer cannot be asked or refuses.
  Status round(bool forced);
  // The peer answered the last round and did not want it: the same again would be refused again.
  bool was_refused() const { return refused_; }
  Status tell_peer_of_changes();
  Status ask_peer_to_push();
  // Both nodes' checksums, for people.
  nlohmann::json compare();
  nlohmann::json differences();
  nlohmann::json facts();  // of the two boxes, where they differ; box_facts.hpp

  // A session of the peer's.
  void serve(sys::FileDescriptor socket);
  // The peer asked for a round; true once.
  bool take_request() { return requested_.exchange(false); }

 private:
  struct Sides {
    ConfigScan own;
    agent::ConfigManifest peers;
  };
  Result<Sides> ask_for_manifest(sys::MessageStream& stream);
  Status send_change(sys::MessageStream& stream, const agent::ConfigPlan& plan,
                     const agent::ConfigManifest& base, bool forced);
  Status send_contents(sys::MessageStream& stream, const agent::ConfigPlan& plan);
  Status receive_change(sys::MessageStream& stream, const nlohmann::json& begin);
  ConfigScan look_locked();
  void answer_manifest(sys::MessageStream& stream);
  void answer_read(sys::MessageStream& stream, const nlohmann::json& request);
  Status has_scope() const;
  Status pushed();
  void answer_facts(sys::MessageStream& stream);
  void add_facts(sys::MessageStream& stream, nlohmann::json& reply);
  nlohmann::json checksums(const agent::ConfigManifest& manifest, const ConfigRules& rules) const;
  void note(const Status& outcome, const agent::ConfigPlan& plan);
  agent::ConfigManifest load_base() const;
  Status save_base(const agent::ConfigManifest& base) const;

  PeerCalls calls_;
  std::string directory_;
  Log log_;
  std::atomic<bool> primary_{false}, requested_{false}, refused_{false};
  std::timed_mutex turns_;  // held for a scan, a round's sending or a change; never while asking
                            // the peer for a push
  ConfigFiles files_;
  ConfigChange change_;
  std::map<std::string, agent::ContentHash> failed_templates_;  // not tried again unchanged

  mutable std::mutex state_mutex_;
  ConfigRules rules_;
  ConfigState state_;
};

}  // namespace hotpair::daemon
