// Where log records go: journald when it is connected to our stderr, else lines on stderr.
//
// Terminal line:  2026-03-01T12:00:00.123Z warning path-dead  heartbeat path ha0 is silent path=ha0
// Journal: MESSAGE, PRIORITY, MESSAGE_ID, HOTPAIR_EVENT, and every field in upper case with the
// prefix HOTPAIR_. An event that event_catalog.hpp knows brings its id as the field "id".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "platform/base/log.hpp"
#include "platform/base/time.hpp"

namespace hotpair::sys {

struct LogOptions {
  std::string program = "hotpair";
  LogLevel level = LogLevel::info;
  enum class Target : std::uint8_t { automatic, terminal, journal } target = Target::automatic;
  // Of one event id: `burst` records at once, then one a `refill`; what is held back is counted,
  // and the count stands in the next record that passes (field "suppressed"). Errors are never held
  // back.
  int burst = 20;
  Duration refill = 1s;
  // Gets every record of that level too, in the thread that logs; before any is held back.
  Log::Sink also = nullptr;
};

// Safe from any thread; a record costs the writer's thread one write.
Log make_log(const LogOptions& options);

std::optional<LogLevel> parse_log_level(std::string_view name);  // debug info notice warning error
std::string_view to_string(LogLevel level);

// A record as one line of text, without colour and time.
std::string format_record(const LogRecord& record);
// A field's name as journald takes it: upper case, digits and underscores, HOTPAIR_ before it.
std::string journal_field_name(std::string_view key);

// The same 128 bits for an event's name for ever: `journalctl MESSAGE_ID=...` and message catalogs
// go by it. 32 hex digits.
std::string journal_message_id(std::string_view event);

// Which records pass; pure. Remembers at most 256 event ids, further ones share one allowance.
class LogRateLimit {
 public:
  LogRateLimit(int burst, Duration refill) : burst_(burst), refill_(refill) {}
  // None: hold it back. Else how many of this event were held back since the last that passed.
  std::optional<std::uint64_t> admit(std::string_view event, Instant at);

 private:
  struct Allowance {
    int left = 0;
    Instant refilled_at{};
    std::uint64_t held_back = 0;
  };
  int burst_;
  Duration refill_;
  std::unordered_map<std::string, Allowance> events_;
};

}  // namespace hotpair::sys
