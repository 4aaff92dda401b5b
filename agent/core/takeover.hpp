// The takeover as one transaction, and its reverse, as a small value: which stage it is in, since
// when, until when, and how each stage before went. What the stages do is the node's
// (node_transaction.cpp).
//
//   takeover:     persist -> data plane -> claim         (then announce and hooks, which need no
//   answer) giving back:  drain -> withdraw -> data plane
//
// Every stage has a bound, and a stage that fails or is not answered has a defined next one.
#pragma once

#include "agent/core/action.hpp"
#include "agent/core/ask_grant.hpp"
#include "agent/core/role.hpp"

namespace hotpair::agent {

enum class Stage : std::uint8_t {
  none,
  persist,
  dataplane,
  claim,
  drain,
  withdraw,
  dataplane_back
};

// The bounds after which a stage has failed. Detection and takeover together must stay within tens
// of milliseconds, so nothing before the claim may wait long; a drain costs nothing but patience.
constexpr Duration kPersistBound = 100ms;
constexpr Duration kDataplaneBound = 50ms;
constexpr Duration kAddressBound = 1s;
constexpr Duration kPlannedDrainBound = 2s;
constexpr Duration kLeavingDrainBound = 1s;

class Transaction {
 public:
  bool running() const { return stage_ != Stage::none; }
  bool takeover() const { return running() && takeover_; }
  bool giving_back() const { return running() && !takeover_; }
  Stage stage() const { return stage_; }
  Cause cause() const { return cause_; }
  Instant deadline() const { return deadline_; }
  const Reason& reason() const { return reason_; }
  std::uint32_t round() const { return round_; }  // giving back: the ask that it answers, or 0
  AskCause ask_cause() const { return ask_cause_; }

  void begin(bool takeover, Cause cause, const Reason& reason, Instant now);
  void answers(std::uint32_t round, AskCause ask_cause) {
    round_ = round;
    ask_cause_ = ask_cause;
  }
  void enter(Stage stage, Instant now, Duration bound);
  // The present stage is over; its time and outcome are noted.
  void note(Instant now, bool ok, const ShortText<128>& error);
  // A stage that was passed over without waiting.
  void skip(std::string_view name, const ShortText<128>& why);
  ReportTransaction end(Instant now);

 private:
  template <typename>
  friend struct FieldsOf;  // recordings
  Stage stage_ = Stage::none;
  bool takeover_ = true;
  Cause cause_ = Cause::count_;
  Reason reason_;
  Instant began_, stage_began_, deadline_;
  std::uint32_t round_ = 0;
  AskCause ask_cause_ = AskCause::none;
  ReportTransaction report_;
};

std::string_view to_string(Stage stage);

}  // namespace hotpair::agent
