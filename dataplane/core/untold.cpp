#include "dataplane/core/untold.hpp"

#include <algorithm>
#include <utility>

#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {
namespace {

constexpr Extras::Part part(unsigned number) {
  return static_cast<Extras::Part>(1u << number);
}
constexpr unsigned kParts = 9;
static_assert((1u << kParts) - 1 == Extras::kAllParts);

void take_protocol_state(const SessionState& from, SessionState& to) {
  to.tcp_state = from.tcp_state;
  to.tcp_flags_original = from.tcp_flags_original;
  to.tcp_flags_reply = from.tcp_flags_reply;
  to.tcp_wscale_original = from.tcp_wscale_original;
  to.tcp_wscale_reply = from.tcp_wscale_reply;
}

bool keep_protocol_state(const SessionState& known, std::uint8_t protocol, SessionState& reported) {
  if (reported.tcp_state != 0 || !has_state(protocol)) return false;
  take_protocol_state(known, reported);
  return true;
}

Extras with_parts(const Extras& extras, Untold parts, const Extras& from) {
  Extras out = extras;
  for (unsigned n = 0; n < kParts; ++n)
    if (parts & part(n)) out.take(part(n), from);
  return out;
}

// A dump tells what is left of the time; what it was when the expectation was made still holds.
void keep_times(const std::vector<Expectation>& known, std::vector<Expectation>& dumped) {
  for (Expectation& e : dumped)
    for (const Expectation& k : known)
      if (same_target(k, e)) e.timeout_s = k.timeout_s;
  std::sort(dumped.begin(), dumped.end());
}

}  // namespace

Untold keep_untold(const SessionState& known, std::uint8_t protocol, SessionState& event) {
  const Untold state = keep_protocol_state(known, protocol, event) ? kUntoldProtocol : Untold{0};
  if (!known.extras || event.extras == known.extras) return state;
  const auto parts = static_cast<Untold>(known.extras->parts & ~event.extras.copy().parts);
  if (!event.extras) {
    event.extras = known.extras;
  } else {
    Extras all = with_parts(*event.extras, parts, *known.extras);
    event.extras = all == *known.extras ? known.extras : SharedExtras::of(std::move(all));
  }
  return static_cast<Untold>(state | parts);
}

void keep_undumped(const SessionState& known, std::uint8_t protocol, SessionState& entry) {
  keep_protocol_state(known, protocol, entry);
  if (!known.extras || known.extras == entry.extras) return;
  Extras extras = entry.extras.copy();
  if (known.extras.has(Extras::kLabels)) extras.add(Extras::kLabels);
  if (extras.has(Extras::kExpectations))
    keep_times(known.extras->expectations, extras.expectations);
  entry.extras = extras == *known.extras ? known.extras : SharedExtras::of(std::move(extras));
}

void correct_untold(const SessionState& entry, Untold untold, SessionState& known) {
  SessionState corrected = (untold & kUntoldRest) ? entry : known;
  take_protocol_state((untold & kUntoldProtocol) ? entry : known, corrected);
  const Extras before = known.extras.copy();
  Extras extras = with_parts(before, untold, entry.extras.copy());
  if (before.has(Extras::kLabels)) extras.add(Extras::kLabels);
  keep_times(before.expectations, extras.expectations);
  corrected.extras = extras == before ? known.extras : SharedExtras::of(std::move(extras));
  known = std::move(corrected);
}

bool with_expectation(const SharedExtras& before, const Expectation& expectation, bool gone,
                      SharedExtras& after) {
  Extras extras = before.copy();
  std::vector<Expectation>& list = extras.expectations;
  std::erase_if(list, [&](const Expectation& e) { return same_target(e, expectation); });
  if (!gone) {
    if (list.size() == kMaxExpectations) return false;
    list.insert(std::upper_bound(list.begin(), list.end(), expectation), expectation);
  }
  if (list.empty())
    extras.drop(Extras::kExpectations);
  else
    extras.add(Extras::kExpectations);
  after = SharedExtras::of(std::move(extras));
  return true;
}

}  // namespace hotpair::dataplane
