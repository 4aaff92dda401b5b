// What a watcher says of a module: its state, why, and the last line a check printed. And the
// counter that keeps one bad (or one good) answer from deciding.
#pragma once

#include <string>

#include "platform/base/assert.hpp"

namespace hotpair::daemon {

// `unknown` counts as healthy: nothing is held against a module that could not be asked yet.
enum class ModuleState : std::uint8_t { unknown, good, failed };

struct ModuleWord {
  ModuleState state = ModuleState::unknown;
  std::string reason;       // empty when good; begins with the slot, for people
  std::string last_output;  // of a check command; one printable line
  friend bool operator==(const ModuleWord&, const ModuleWord&) = default;
};

constexpr const char* to_string(ModuleState state) {
  switch (state) {
    case ModuleState::unknown:
      return "unknown";
    case ModuleState::good:
      return "good";
    case ModuleState::failed:
      return "failed";
  }
  return "";
}

// Unknown or good becomes failed after `fall` failures in a row; unknown or failed becomes good
// after `rise` successes in a row.
class RiseFall {
 public:
  RiseFall(int rise, int fall) : rise_(rise), fall_(fall) {
    HOTPAIR_ASSERT(rise >= 1 && fall >= 1);
  }

  ModuleState count(bool good) {
    in_a_row_ = good == last_ ? in_a_row_ + 1 : 1;
    last_ = good;
    if (good && in_a_row_ >= rise_) state_ = ModuleState::good;
    if (!good && in_a_row_ >= fall_) state_ = ModuleState::failed;
    if (in_a_row_ > kEnough) in_a_row_ = kEnough;
    return state_;
  }
  ModuleState state() const { return state_; }
  int in_a_row() const { return in_a_row_; }  // of the last kind

 private:
  static constexpr int kEnough =
      1'000'000;  // above any rise or fall; years of checks must not wrap
  int rise_, fall_, in_a_row_ = 0;
  bool last_ = true;
  ModuleState state_ = ModuleState::unknown;
};

}  // namespace hotpair::daemon
