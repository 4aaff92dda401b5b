// Expectations that were told before their session. A helper that reads the very first packet (SIP
// over UDP) expects something before the kernel confirms the connection, and tells in that order.
#pragma once

#include <cstddef>
#include <vector>

#include "dataplane/core/session.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dataplane {

class EarlyExpectations {
 public:
  static constexpr std::size_t kMost = 256;
  static constexpr Duration kKept = 1s;  // the session's own event follows at once, or never

  // Returns how many, this or earlier ones, were given up: their session did not come.
  std::size_t add(const SessionKey& master, const Expectation& expectation, Instant now);
  void forget(const SessionKey& master, const Expectation& expectation);
  bool empty() const { return waiting_.empty(); }
  // Gives a session that begins what was expected before it.
  void claim(Session& session, Instant now);

 private:
  struct Waiting {
    SessionKey master;
    Expectation expectation;
    Instant since;
  };
  std::vector<Waiting> waiting_;  // in the order they came
};

}  // namespace hotpair::dataplane
