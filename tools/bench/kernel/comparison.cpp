#include "tools/bench/kernel/comparison.hpp"

#include <thread>
#include <unordered_map>

#include "dataplane/conntrack/source.hpp"
#include "dataplane/core/session_key.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::bench::kernel {
namespace {

using dataplane::Session;

constexpr Duration kPatience = 60s;

struct KeyHash {
  std::size_t operator()(const dataplane::SessionKey& key) const {
    return dataplane::digest_key(key);
  }
};
using Entries = std::unordered_map<dataplane::SessionKey, dataplane::SessionState, KeyHash>;

class Collector final : public conntrack::SourceVisitor {
 public:
  void on_upsert(const Session&) override {}
  void on_destroy(const dataplane::SessionKey&) override {}
  void on_expectation(const dataplane::SessionKey&, const dataplane::Expectation&, bool) override {}
  void on_dump_entry(const Session& session) override {
    Session entry = dataplane::normalised(session);
    entry.state.timeout_s = 0;
    // Loopback's and the like are no business of the pair.
    if (entry.key.protocol == dataplane::kProtocolTcp ||
        entry.key.protocol == dataplane::kProtocolUdp)
      entries[entry.key] = entry.state;
  }
  void on_dump_done(bool complete) override { whole = complete; }
  void on_overrun() override {}

  Entries entries;
  bool whole = false;
};

Result<Entries> entries_of(const TwoBoxes& boxes, int box) {
  const Inside inside(boxes, box);
  auto source = conntrack::Source::open({});
  if (!source.ok()) return fail(source.error());
  for (const Instant until = sys::now() + kPatience; sys::now() < until;) {
    Collector collector;
    if (Status started = (*source)->start_dump(); !started.ok()) return fail(started.error());
    while ((*source)->dumping()) (void)(*source)->poll_dump(collector, 1024);
    if (collector.whole) return std::move(collector.entries);
  }
  return fail_with("a kernel's table could not be read whole");
}

}  // namespace

Result<Comparison> compare_kernels(const TwoBoxes& boxes) {
  const auto first = entries_of(boxes, 0), second = entries_of(boxes, 1);
  if (!first.ok()) return fail(first.error());
  if (!second.ok()) return fail(second.error());
  Comparison out{.first = first->size(), .second = second->size()};
  for (const auto& [key, state] : *first) {
    const auto found = second->find(key);
    if (found == second->end())
      ++out.missing;
    else if (!(found->second == state))
      ++out.different;
  }
  for (const auto& [key, state] : *second) out.left_over += first->contains(key) ? 0u : 1u;
  return out;
}

}  // namespace hotpair::bench::kernel
