#include "dataplane/core/untold.hpp"

#include <algorithm>
#include <utility>

#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {
namespace {

void keep_protocol_state(const SessionState& known, std::uint8_t protocol, SessionState& reported) {
  if (reported.tcp_state != 0 || !has_state(protocol)) return;
  reported.tcp_state = known.tcp_state;
  reported.tcp_flags_original = known.tcp_flags_original;
  reported.tcp_flags_reply = known.tcp_flags_reply;
  reported.tcp_wscale_original = known.tcp_wscale_original;
  reported.tcp_wscale_reply = known.tcp_wscale_reply;
}

Extras merged(const Extras& known, const Extras& told) {
  Extras out = told;
  out.parts = static_cast<std::uint16_t>(known.parts | told.parts);
  const auto untold = [&](Extras::Part part) { return known.has(part) && !told.has(part); };
  if (untold(Extras::kLabels)) out.labels = known.labels;
  if (untold(Extras::kHelper)) out.helper = known.helper;
  if (untold(Extras::kSequence)) out.sequence = known.sequence;
  if (untold(Extras::kSynproxy)) out.synproxy = known.synproxy;
  if (untold(Extras::kSctp)) out.sctp_tags = known.sctp_tags;
  if (untold(Extras::kDccp)) {
    out.dccp_role = known.dccp_role;
    out.dccp_handshake = known.dccp_handshake;
  }
  if (untold(Extras::kMaster)) {
    out.master_protocol = known.master_protocol;
    out.master = known.master;
  }
  if (untold(Extras::kReplyZone)) out.reply_zone = known.reply_zone;
  if (untold(Extras::kExpectations)) out.expectations = known.expectations;
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

void keep_untold(const SessionState& known, std::uint8_t protocol, SessionState& event) {
  keep_protocol_state(known, protocol, event);
  if (!known.extras) return;
  if (!event.extras) {
    event.extras = known.extras;
    return;
  }
  if (event.extras == known.extras) return;
  Extras all = merged(*known.extras, *event.extras);
  event.extras = all == *known.extras ? known.extras : SharedExtras::of(std::move(all));
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
