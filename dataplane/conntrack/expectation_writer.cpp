#include "dataplane/conntrack/expectation_writer.hpp"

#include <algorithm>

namespace hotpair::conntrack {

using dataplane::Expectation;
using dataplane::Extras;
using dataplane::Session;

void ExpectationWriter::write(const Session& session, std::uint32_t hold_s, RequestWriter& out) {
  static const std::vector<Expectation> kNone;
  const bool any = session.state.extras.has(Extras::kExpectations);
  const std::vector<Expectation>& wanted = any ? session.state.extras->expectations : kNone;
  if (const auto before = written_.find(session.key); before != written_.end())
    for (const Expectation& e : before->second)
      if (!std::binary_search(wanted.begin(), wanted.end(), e)) out.forget(session.key, e, 0);
  for (const Expectation& e : wanted) {
    const std::uint32_t timeout_s = std::max(hold_s, e.timeout_s);
    out.expect(session, e, timeout_s, true, kSequence);
    out.expect(session, e, timeout_s, false, 0);  // made just now: this sets its timeout
  }
  if (any)
    written_[session.key] = wanted;
  else
    written_.erase(session.key);
}

void ExpectationWriter::hand_back(const Session& session, RequestWriter& out) {
  if (!session.state.extras.has(Extras::kExpectations)) return;
  for (const Expectation& e : session.state.extras->expectations)
    out.expect(session, e, std::max<std::uint32_t>(1, e.timeout_s), false, 0);
}

}  // namespace hotpair::conntrack
