#include "dataplane/core/early_expectations.hpp"

#include "dataplane/core/untold.hpp"

namespace hotpair::dataplane {

std::size_t EarlyExpectations::add(const SessionKey& master, const Expectation& expectation,
                                   Instant now) {
  std::size_t given_up =
      std::erase_if(waiting_, [&](const Waiting& w) { return now - w.since > kKept; });
  if (waiting_.size() == kMost) {
    waiting_.erase(waiting_.begin());
    ++given_up;
  }
  waiting_.push_back({master, expectation, now});
  return given_up;
}

void EarlyExpectations::forget(const SessionKey& master, const Expectation& expectation) {
  std::erase_if(waiting_, [&](const Waiting& w) {
    return w.master == master && same_target(w.expectation, expectation);
  });
}

void EarlyExpectations::claim(Session& session, Instant now) {
  std::erase_if(waiting_, [&](const Waiting& w) {
    if (!(w.master == session.key)) return false;
    if (now - w.since <= kKept)
      (void)with_expectation(session.state.extras, w.expectation, false, session.state.extras);
    return true;
  });
}

}  // namespace hotpair::dataplane
