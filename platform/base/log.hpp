// Structured log records and where they go. The cores never log: they report through actions.
// Shells log through a Log handed to them; platform/linux/log_sink.hpp sends records to spdlog
// (terminal) or journald. Every line has a stable event name, a sentence, and fields a person can
// filter by.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace hotpair {

enum class LogLevel : std::uint8_t { debug, info, notice, warning, error };

struct LogField {
  std::string key;
  std::string value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "yes" : "no") {}
  template <typename N>
  requires(std::is_arithmetic_v<N> && !std::is_same_v<N, bool>) LogField(std::string_view k, N v)
      : key(k), value(std::to_string(v)) {}
};

struct LogRecord {
  LogLevel level;
  std::string event;    // stable id, e.g. "role-change"
  std::string message;  // one sentence for people
  std::vector<LogField> fields;
};

// Copyable; safe to use from any thread when its sink is (the sinks of platform/linux are).
class Log {
 public:
  using Sink = std::function<void(const LogRecord&)>;

  Log() = default;  // discards
  explicit Log(Sink sink) : sink_(std::move(sink)) {}

  void write(LogLevel level, std::string_view event, std::string message,
             std::initializer_list<LogField> fields = {}) const {
    if (sink_) sink_({level, std::string(event), std::move(message), fields});
  }
  void debug(std::string_view e, std::string m, std::initializer_list<LogField> f = {}) const {
    write(LogLevel::debug, e, std::move(m), f);
  }
  void info(std::string_view e, std::string m, std::initializer_list<LogField> f = {}) const {
    write(LogLevel::info, e, std::move(m), f);
  }
  void notice(std::string_view e, std::string m, std::initializer_list<LogField> f = {}) const {
    write(LogLevel::notice, e, std::move(m), f);
  }
  void warning(std::string_view e, std::string m, std::initializer_list<LogField> f = {}) const {
    write(LogLevel::warning, e, std::move(m), f);
  }
  void error(std::string_view e, std::string m, std::initializer_list<LogField> f = {}) const {
    write(LogLevel::error, e, std::move(m), f);
  }

 private:
  Sink sink_;
};

}  // namespace hotpair
