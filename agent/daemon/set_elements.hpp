// The elements of the sets of config_sync.nft_sets between two kernels. The primary's sender reads
// them when something changed, and now and then because packets that add elements are told of by
// no kernel reliably; the backup's keeper has its kernel hold what was told, whoever changes it
// there. Blocks on the kernel and the peer; one thread at a time.
#pragma once

#include <map>
#include <set>

#include "agent/daemon/ruleset_wire.hpp"
#include "platform/linux/nftables_sets.hpp"

namespace hotpair::daemon {

struct SetState {
  std::size_t elements = 0;
  std::uint64_t digest = 0, peer_digest = 0;
  bool in_sync = false;
  std::string error;
};
using SetStates = std::map<std::string, SetState>;  // by "family table name"

class SetSender {
 public:
  explicit SetSender(sys::NftablesSets kernel) : kernel_(std::move(kernel)) {}

  void set_names(std::vector<agent::NftSetName> names);
  // The peer knows nothing yet, or no longer.
  void start_anew();
  // Elements changed in sets of these names; all: in any.
  void heard(const std::set<std::string>& names, bool all, Instant now);

  // Sends what is due. Fails when the connection is of no further use.
  Status turn(sys::MessageStream& stream);
  Instant next() const;
  const SetStates& states() const { return states_; }
  std::uint64_t elements_sent() const { return elements_sent_; }

 private:
  struct Told {
    agent::ElementTable table;
    bool whole = false;  // the peer has all that is in the table
    Instant due{}, earliest{};
    Duration took{};
  };
  std::vector<sys::NftSet> find();
  Status send(sys::MessageStream& stream, const sys::NftSet& set, Told& told, SetState& state);
  Status exchange(sys::MessageStream& stream, const agent::NftSetName& name, bool whole,
                  const agent::ElementChange& change, RulesetOutcome& outcome);

  sys::NftablesSets kernel_;
  std::vector<agent::NftSetName> names_;
  std::map<agent::NftSetName, Told> told_;
  Instant next_look_{};
  SetStates states_;
  std::uint64_t elements_sent_ = 0;
};

class SetKeeper {
 public:
  explicit SetKeeper(sys::NftablesSets kernel) : kernel_(std::move(kernel)) {}

  void set_names(std::vector<agent::NftSetName> names);
  void clear();
  void heard(const std::set<std::string>& names, bool all, Instant now);

  // A change that came whole: the messages of it one after the other.
  RulesetOutcome take(const agent::NftSetName& name, bool whole,
                      const agent::ElementChange& change);
  // Makes the kernel's what was told where it is due; `all`: everywhere.
  void repair(bool all);
  Instant next() const;
  const SetStates& states() const { return states_; }
  std::uint64_t elements_taken() const { return elements_taken_; }
  std::uint64_t repaired() const { return repaired_; }  // elements that somebody had changed

 private:
  struct Held {
    agent::ElementTable table;
    Instant due{}, earliest{};
  };
  Result<sys::NftSet> find(const agent::NftSetName& name);
  Status repair(const sys::NftSet& set, Held& held, bool count);
  std::size_t room_beside(const agent::NftSetName& name) const;

  sys::NftablesSets kernel_;
  std::vector<agent::NftSetName> names_;
  std::map<agent::NftSetName, Held> held_;
  SetStates states_;
  std::uint64_t elements_taken_ = 0, repaired_ = 0;
};

}  // namespace hotpair::daemon
