#include "agent/core/takeover.hpp"

namespace hotpair::agent {

void Transaction::begin(bool takeover, Cause cause, const Reason& reason, Instant now) {
  HOTPAIR_ASSERT(!running());
  takeover_ = takeover;
  cause_ = cause;
  reason_ = reason;
  began_ = now;
  round_ = 0;
  ask_cause_ = AskCause::none;
  report_ = ReportTransaction{};
  report_.takeover = takeover;
}

void Transaction::enter(Stage stage, Instant now, Duration bound) {
  HOTPAIR_ASSERT(stage != Stage::none);
  stage_ = stage;
  stage_began_ = now;
  deadline_ = now + bound;
}

void Transaction::note(Instant now, bool ok, const ShortText<128>& error) {
  HOTPAIR_ASSERT(running());
  if (!ok) report_.ok = false;
  if (!report_.steps.full())
    report_.steps.push_back(
        {to_string(stage_), now - stage_began_, ok, ok ? ShortText<128>() : error});
}

void Transaction::skip(std::string_view name, const ShortText<128>& why) {
  if (!report_.steps.full()) report_.steps.push_back({name, {}, false, why});
}

ReportTransaction Transaction::end(Instant now) {
  HOTPAIR_ASSERT(running());
  stage_ = Stage::none;
  report_.total = now - began_;
  return report_;
}

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::none:
      return "none";
    case Stage::persist:
      return "persist";
    case Stage::dataplane:
      return "data plane";
    case Stage::claim:
      return "claim";
    case Stage::drain:
      return "drain";
    case Stage::withdraw:
      return "withdraw";
    case Stage::dataplane_back:
      return "data plane";
  }
  return "unknown";
}

}  // namespace hotpair::agent
