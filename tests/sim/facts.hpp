// What befell the pair in one run. The tally over many runs proves that each fault the swarm claims
// to try does occur, and with what it is answered.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string_view>

namespace hotpair::simulation {

enum class Fact : std::uint8_t {
  frame_lost,
  frame_duplicated,
  frame_reordered,
  cable_cut,
  cut_one_way,
  all_cut,
  agent_killed,
  power_lost,
  disk_emptied,
  loop_stood_still,
  box_stood_still,
  box_suspended,
  clock_drifts,
  clock_leapt,
  wall_clock_set,
  dataplane_killed,
  link_flapped,
  module_failed,
  management_lost,
  target_lost,
  witness_lost,
  persist_failed,
  claim_failed,
  withdraw_failed,
  dataplane_failed,
  drain_failed,
  action_unanswered,
  ordered_failover,
  ordered_forced_failover,
  ordered_state,
  ordered_maintenance,
  left_in_order,
  reloaded,
  other_files,
  next_version,
  protocols_differed,
  no_common_protocol,
  misconfigured,
  dual_primary,
  suppressed,
  conflict,
  count,
};
constexpr std::size_t kFacts = static_cast<std::size_t>(Fact::count);
constexpr std::array<std::string_view, kFacts> kFactNames{
    "a frame was lost",
    "a frame was duplicated",
    "frames were reordered",
    "a cable was cut",
    "a cable was cut one way",
    "every cable was cut",
    "an agent was killed",
    "a node lost its power",
    "a node came back with an empty disk",
    "a main loop stood still",
    "a box stood still",
    "a box stood still, and its clocks with it",
    "the clocks drift apart",
    "a clock leapt",
    "a wall clock was set",
    "a data plane was killed",
    "a link flapped",
    "a module failed",
    "a management link was lost",
    "a remote target was lost",
    "the witness did not answer",
    "persisting failed",
    "claiming addresses failed",
    "withdrawing addresses failed",
    "setting the data plane's role failed",
    "draining failed",
    "an action was never answered",
    "a failover was ordered",
    "a forced failover was ordered",
    "a forced state was ordered",
    "maintenance was begun or ended",
    "a node left in order",
    "the configuration was reloaded",
    "the two files differed",
    "the next version was heard",
    "the nodes spoke different versions of the protocol",
    "the nodes had no version of the protocol in common",
    "a node was misconfigured",
    "both were primary",
    "a change was suppressed",
    "a conflict was shown",
};
using Facts = std::bitset<kFacts>;
inline void note(Facts& facts, Fact fact) {
  facts.set(static_cast<std::size_t>(fact));
}

}  // namespace hotpair::simulation
