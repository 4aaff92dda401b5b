// One wish about the world outside and how far it is known to be fulfilled. A wish goes out as an
// action, is believed only when its ActionDone says so, and is repeated every second while it fails
// or stays unanswered. A changed wish goes out at once; the answer to the old one is then nobody's.
#pragma once

#include <optional>

#include "agent/core/action.hpp"
#include "agent/core/text.hpp"

namespace hotpair::agent {

constexpr Duration kRetryEvery = 1s;
constexpr Duration kAnswerBound = 1s;  // an action unanswered for so long has failed

template <typename T>
class Pursuit {
 public:
  Pursuit(std::optional<T> known, T wanted) : known_(known), wanted_(wanted) {}

  void want(const T& wish) {
    if (wish == wanted_ && settled()) return;
    if (!(wish == wanted_)) restart();
    wanted_ = wish;
  }
  // What was known may no longer be true.
  void forget() {
    known_.reset();
    restart();
  }
  const T& wanted() const { return wanted_; }
  const std::optional<T>& known() const { return known_; }
  bool settled() const { return known_ && *known_ == wanted_; }
  unsigned failures() const { return failures_; }  // in a row, of the present wish
  const ShortText<128>& error() const { return error_; }

  bool due(Instant now) const { return !settled() && in_flight_ == 0 && now >= retry_at_; }
  void asked(ActionId id, Instant now) {
    known_.reset();  // from here on it may be so or not
    in_flight_ = id;
    deadline_ = now + kAnswerBound;
  }
  // Takes the outcome when `id` is the request in flight.
  bool done(ActionId id, bool ok, const ShortText<128>& error, Instant now) {
    if (id == 0 || id != in_flight_) return false;
    in_flight_ = 0;
    if (ok) {
      known_ = wanted_;
      failures_ = 0;
    } else {
      fail(error, now);
    }
    return true;
  }
  // True when the request in flight has just been given up.
  bool give_up(Instant now) {
    if (in_flight_ == 0 || now < deadline_) return false;
    in_flight_ = 0;
    fail(Text<128>("no answer within ", kAnswerBound), now);
    return true;
  }
  Instant next_look() const {
    if (in_flight_ != 0) return deadline_;
    return settled() ? Instant::max() : retry_at_;
  }

 private:
  template <typename>
  friend struct FieldsOf;  // recordings
  void restart() {
    in_flight_ = 0;
    failures_ = 0;
    retry_at_ = {};
  }
  void fail(const ShortText<128>& error, Instant now) {
    known_.reset();
    ++failures_;
    error_ = error;
    retry_at_ = now + kRetryEvery;
  }

  std::optional<T> known_;
  T wanted_;
  ActionId in_flight_ = 0;
  Instant deadline_, retry_at_;
  unsigned failures_ = 0;
  ShortText<128> error_;
};

// The redundant addresses: on this box or not. `linger` says how they are given back, not whether.
struct AddressWish {
  bool held = false;
  bool linger = false;
  friend bool operator==(const AddressWish& a, const AddressWish& b) { return a.held == b.held; }
};

struct DataplaneWish {
  DataplaneRole role = DataplaneRole::idle;
  Epoch epoch;
  friend bool operator==(const DataplaneWish&, const DataplaneWish&) = default;
};

}  // namespace hotpair::agent
