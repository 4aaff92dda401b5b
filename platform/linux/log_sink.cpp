#include "platform/linux/log_sink.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "platform/base/event_catalog.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/crypto.hpp"

namespace hotpair::sys {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames = {"debug", "info", "notice", "warning",
                                                         "error"};
constexpr std::size_t kRememberedEvents = 256;
constexpr const char* kSharedAllowance = "";

// Texts may carry what a hostile frame said: nothing of it may steer a terminal.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

std::string quoted_if_needed(const std::string& value) {
  const std::string text = printable(value);
  if (!text.empty() && text.find_first_of(" \"=") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

class Terminal {
 public:
  Terminal() {
    sink_.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %^%n%$ %v", spdlog::pattern_time_type::utc));
  }
  void write(const LogRecord& record) {
    const std::string line = format_record(record);
    const std::string_view name = to_string(record.level);
    // spdlog knows no notice; the name shown is ours, its level only chooses the colour.
    sink_.log({spdlog::source_loc{}, {name.data(), name.size()}, colour(record.level), line});
    sink_.flush();
  }

 private:
  static spdlog::level::level_enum colour(LogLevel level) {
    switch (level) {
      case LogLevel::debug:
        return spdlog::level::debug;
      case LogLevel::info:
      case LogLevel::notice:
        return spdlog::level::info;
      case LogLevel::warning:
        return spdlog::level::warn;
      case LogLevel::error:
        break;
    }
    return spdlog::level::err;
  }
  spdlog::sinks::ansicolor_stderr_sink_mt sink_;
};

int journal_priority(LogLevel level) {
  constexpr std::array<int, 5> kPriorities = {7, 6, 5, 4, 3};  // syslog(3)
  return kPriorities[static_cast<std::size_t>(level)];
}

void write_journal(const std::string& program, const LogRecord& record) {
  std::vector<std::string> fields = {
      "MESSAGE=" + record.message, "PRIORITY=" + std::to_string(journal_priority(record.level)),
      "SYSLOG_IDENTIFIER=" + program, "MESSAGE_ID=" + journal_message_id(record.event),
      "HOTPAIR_EVENT=" + record.event};
  for (const LogField& field : record.fields)
    fields.push_back(journal_field_name(field.key) + "=" + field.value);
  std::vector<iovec> parts;
  for (std::string& field : fields) parts.push_back({field.data(), field.size()});
  sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

// $JOURNAL_STREAM names device and inode of the journal's stream (systemd.exec(5)); another program
// may have redirected our stderr since.
bool journal_is_stderr() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat facts {};
  if (stream == nullptr || fstat(STDERR_FILENO, &facts) != 0) return false;
  return std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino) == stream;
}

struct SinkState {
  SinkState(const LogOptions& o)
      : options(o),
        to_journal(o.target == LogOptions::Target::journal ||
                   (o.target == LogOptions::Target::automatic && journal_is_stderr())),
        limit(o.burst, o.refill) {}

  void write(LogRecord record) {
    const std::lock_guard lock(mutex);
    const auto held_back = limit.admit(record.event, now());
    if (!held_back && record.level != LogLevel::error) return;
    if (std::string id = event_id(record.event); !id.empty()) record.fields.emplace_back("id", id);
    if (held_back && *held_back > 0) record.fields.emplace_back("suppressed", *held_back);
    if (to_journal)
      write_journal(options.program, record);
    else
      terminal.write(record);
  }

  LogOptions options;
  bool to_journal;
  std::mutex mutex;
  LogRateLimit limit;
  Terminal terminal;
};

}  // namespace

Log make_log(const LogOptions& options) {
  auto state = std::make_shared<SinkState>(options);
  return Log([state](const LogRecord& record) {
    if (record.level < state->options.level) return;
    try {
      if (state->options.also) state->options.also(record);
      state->write(record);
    } catch (const std::exception&) {
      // A log that cannot be written must not end what it tells of.
    }
  });
}

std::optional<LogLevel> parse_log_level(std::string_view name) {
  const auto found = std::find(kLevelNames.begin(), kLevelNames.end(), name);
  if (found == kLevelNames.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kLevelNames.begin());
}

std::string_view to_string(LogLevel level) {
  return kLevelNames[static_cast<std::size_t>(level)];
}

std::string format_record(const LogRecord& record) {
  std::string line = printable(record.event) + "  " + printable(record.message);
  if (!record.fields.empty()) line += " ";
  for (const LogField& field : record.fields)
    line += " " + printable(field.key) + "=" + quoted_if_needed(field.value);
  return line;
}

std::string journal_field_name(std::string_view key) {
  std::string name = "HOTPAIR_";
  for (char c : key) {
    if (c >= 'a' && c <= 'z')
      name.push_back(static_cast<char>(c - 'a' + 'A'));
    else
      name.push_back((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_');
  }
  return name.substr(0, 64);  // journald's bound
}

std::string journal_message_id(std::string_view event) {
  const std::string name = "hotpair:" + std::string(event);
  const auto digest = sha256({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    text.push_back("0123456789abcdef"[digest[i] >> 4]);
    text.push_back("0123456789abcdef"[digest[i] & 15]);
  }
  return text;
}

std::optional<std::uint64_t> LogRateLimit::admit(std::string_view event, Instant at) {
  std::string key(event);
  if (!events_.contains(key) && events_.size() >= kRememberedEvents) key = kSharedAllowance;
  const auto [found, fresh] = events_.try_emplace(key, Allowance{burst_, at, 0});
  Allowance& allowance = found->second;
  if (refill_ > Duration::zero() && at > allowance.refilled_at) {
    const std::int64_t earned = (at - allowance.refilled_at) / refill_;
    allowance.left = static_cast<int>(std::min<std::int64_t>(burst_, allowance.left + earned));
    allowance.refilled_at += refill_ * earned;
  }
  if (allowance.left <= 0) {
    ++allowance.held_back;
    return std::nullopt;
  }
  --allowance.left;
  return std::exchange(allowance.held_back, 0);
}

}  // namespace hotpair::sys
