// The elements of the sets of config_sync.nft_sets between two kernels. The primary's sender tells
// what its kernel tells of single elements. It reads a set whole when that was not all, now and
// then, and as often as is cheap where packets add, renew or remove elements, which no kernel
// tells. The backup's keeper has its kernel hold what was told, whoever changes it there. Blocks
// on the kernel and the peer; one thread at a time.
#pragma once

#include <map>
#include <set>

#include "agent/daemon/ruleset_wire.hpp"
#include "platform/linux/nftables_sets.hpp"
#include "platform/linux/nftables_watch.hpp"

namespace hotpair::daemon {

struct SetState {
  std::size_t elements = 0;
  std::uint64_t digest = 0, peer_digest = 0;
  bool in_sync = false;
  std::string error;
};
using SetStates = std::map<std::string, SetState>;  // by "family table name"

// What a kernel told of a set and was not looked at yet.
struct SetNews {
  std::vector<sys::NftElementEvent> events;
  Instant due = Instant::max();
  void clear() { *this = {}; }
};

class SetSender {
 public:
  explicit SetSender(sys::NftablesSets kernel) : kernel_(std::move(kernel)) {}

  void set_names(std::vector<agent::NftSetName> names);
  // The peer knows nothing yet, or no longer.
  void start_anew();
  // The backup's ruleset is the primary's now: a set that it did not have may be there.
  void try_again();
  void heard(const sys::NftablesWatch::Heard& heard, Instant now);

  // Sends what is due. Fails when the connection is of no further use.
  Status turn(sys::MessageStream& stream);
  Instant next() const;
  const SetStates& states() const { return states_; }
  std::uint64_t elements_sent() const { return elements_sent_; }
  std::uint64_t readings() const { return readings_; }  // of whole sets

 private:
  struct Told {
    agent::ElementTable table;
    bool whole = false;         // the peer has all that is in the table
    Instant due{}, earliest{};  // of the next reading
    SetNews news;
    bool reads(Instant now) const { return std::max(due, earliest) <= now; }
  };
  void look();
  bool is_fed(const sys::NftSet& set) const;
  Status read(sys::MessageStream& stream, const sys::NftSet& set, Told& told, SetState& state);
  Status pass_on(sys::MessageStream& stream, const sys::NftSet& set, Told& told, SetState& state);
  Status tell(sys::MessageStream& stream, const sys::NftSet& set, Told& told, SetState& state,
              const agent::ElementChange& change, Instant now);
  Status exchange(sys::MessageStream& stream, const agent::NftSetName& name, bool whole,
                  const agent::ElementChange& change, RulesetOutcome& outcome);

  sys::NftablesSets kernel_;
  std::vector<agent::NftSetName> names_;
  std::vector<sys::NftSet> sets_;  // that the kernel has of these names
  std::set<sys::NftSetId> fed_;    // sets that packets change; looked for when rules changed
  bool all_fed_ = false;           // it could not be found out which
  Instant next_look_{}, next_look_at_rules_{};
  std::map<agent::NftSetName, Told> told_;
  SetStates states_;
  std::uint64_t elements_sent_ = 0, readings_ = 0;
};

class SetKeeper {
 public:
  explicit SetKeeper(sys::NftablesSets kernel) : kernel_(std::move(kernel)) {}

  void set_names(std::vector<agent::NftSetName> names);
  void clear();
  void heard(const sys::NftablesWatch::Heard& heard, Instant now);

  // A change that came whole: the messages of it one after the other.
  RulesetOutcome take(const agent::NftSetName& name, bool whole,
                      const agent::ElementChange& change);
  // Makes the kernel's what was told where it is due; `all`: everywhere.
  void repair(bool all);
  Instant next() const;
  const SetStates& states() const { return states_; }
  std::uint64_t elements_taken() const { return elements_taken_; }
  std::uint64_t repaired() const { return repaired_; }  // elements that somebody had changed
  std::uint64_t readings() const { return readings_; }
  std::uint32_t port() const { return kernel_.port(); }  // of the changes that it makes itself

 private:
  struct Held {
    agent::ElementTable table;
    Instant due{}, earliest{};  // of the next reading
    SetNews news;
  };
  void forget(const agent::NftSetName& name);
  Result<sys::NftSet> find(const agent::NftSetName& name);
  Status repair(const sys::NftSet& set, Held& held, bool count);
  Status repair_news(const sys::NftSet& set, Held& held);
  std::size_t room_beside(const agent::NftSetName& name) const;

  sys::NftablesSets kernel_;
  std::vector<agent::NftSetName> names_;
  std::map<agent::NftSetName, Held> held_;
  SetStates states_;
  std::uint64_t elements_taken_ = 0, repaired_ = 0, readings_ = 0;
};

}  // namespace hotpair::daemon
