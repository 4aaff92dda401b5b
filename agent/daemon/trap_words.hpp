// An event as the words of a command line of snmptrap(1), in the terms of HOTPAIR-MIB. Pure.
#pragma once

#include <string>
#include <vector>

#include "platform/base/event_catalog.hpp"
#include "platform/config/config.hpp"

namespace hotpair::daemon {

// netSnmpPlaypen, the branch for what has no number of its own, with "HP" as a number.
constexpr const char* kTrapRoot = "1.3.6.1.4.1.8072.9999.9999.18512";

struct TrapSource {  // which node tells
  std::string hostname;
  int chassis_id = 0, group_id = 0;
};

std::vector<std::string> trap_words(const config::SnmpTrap& trap, const std::string& receiver,
                                    const TrapSource& source, const EventEntry& event,
                                    const LogRecord& record);

}  // namespace hotpair::daemon
