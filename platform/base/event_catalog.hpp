// Every event with its stable id: what events.def says, as values. The log adds the id to a record
// by its name, `hotpair explain` shows the rest.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "platform/base/log.hpp"

namespace hotpair {

struct EventEntry {
  int number;             // the id is HP-<number>
  std::string_view name;  // as it is logged: "role-change"
  LogLevel level;         // the most serious it is logged with
  std::string_view meaning, causes, next;
};

// In the order of the numbers.
inline constexpr EventEntry kEventCatalog[] = {
#define HOTPAIR_EVENT(number, name, level, meaning, causes, next) \
  {number, name, LogLevel::level, meaning, causes, next},
#include "platform/base/events.def"
#undef HOTPAIR_EVENT
};

// Null: none of that name.
inline const EventEntry* find_event(std::string_view name) {
  const auto found = std::find_if(std::begin(kEventCatalog), std::end(kEventCatalog),
                                  [&](const EventEntry& entry) { return entry.name == name; });
  return found == std::end(kEventCatalog) ? nullptr : found;
}

// "HP-1203"
inline std::string event_id(const EventEntry& entry) {
  return "HP-" + std::to_string(entry.number);
}
// Of the event of that name; empty: it has none.
inline std::string event_id(std::string_view name) {
  const EventEntry* entry = find_event(name);
  return entry ? event_id(*entry) : std::string();
}

}  // namespace hotpair
