// Brings what sessions' helpers expect into the kernel, beside the sessions themselves, and takes
// away what is no longer expected. Remembers what it wrote, as long as the session is there.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "dataplane/conntrack/key_hash.hpp"
#include "dataplane/conntrack/requests.hpp"

namespace hotpair::conntrack {

class ExpectationWriter {
 public:
  // Requests that one session may need; the writer has room for them.
  static constexpr std::size_t kMostRequests = 3 * dataplane::kMaxExpectations;
  // In answers: of requests whose failure counts.
  static constexpr std::uint32_t kSequence = 0x80000000u;

  // Whether write() has anything to do for this session: for most it has not.
  bool concerns(const dataplane::Session& session) const {
    return !written_.empty() || session.state.extras.has(dataplane::Extras::kExpectations);
  }
  // After the session's own request. Each lives for `hold_s` at least.
  void write(const dataplane::Session& session, std::uint32_t hold_s, RequestWriter& out);
  // Their own timeouts, of those that are there still.
  static void hand_back(const dataplane::Session& session, RequestWriter& out);
  // The kernel forgets with a session what it expected.
  void removed(const dataplane::SessionKey& key) {
    if (!written_.empty()) written_.erase(key);
  }

 private:
  std::unordered_map<dataplane::SessionKey, std::vector<dataplane::Expectation>, KeyHash> written_;
};

}  // namespace hotpair::conntrack
