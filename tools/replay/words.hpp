// Events, actions and the differences between them in words.
#pragma once

#include <string>
#include <vector>

#include "agent/core/recording.hpp"

namespace hotpair::replay {

// "data interface wan: down", "heartbeat on ha0: role backup, epoch 3"
std::string in_words(const agent::Event& event, const agent::NodeConfig& config);
// "backup -> primary (failover, epoch 3): peer silent for 40 ms on 3 of 3 paths"
std::string in_words(const agent::Action& action);
// The stable name of an event's or an action's kind.
std::string kind_of(const agent::Event& event);
std::string kind_of(const agent::Action& action);

// A line for each thing that differs; of two actions of one kind only the fields that do.
std::vector<std::string> differences(const std::vector<agent::Action>& recorded,
                                     const agent::Actions& now);

// Heartbeats are published all the time, and say nothing by themselves.
bool tells(const agent::Action& action);
// What people were told of, as against what was done for it.
bool reports(const agent::Action& action);

}  // namespace hotpair::replay
