// Sessions that a node made as the primary and that no backup ever acknowledged, kept when the node
// becomes the backup and the primary does not know them: after a cut during which both were
// primary, or a fault in the moment after they began. They are offered to the primary, which takes
// those that clash with nothing of its own into its kernel; what it took comes back as a create. A
// session that had ended on the primary is never among them: it had been acknowledged before the
// cut.
//
// The sessions are out of the table and still in the kernel until they are settled. Bounded; the
// offering is paced, repeated because frames are lost, and ends.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "dataplane/core/session.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dataplane {

class Offers {
 public:
  static constexpr std::size_t kMost = 65536;
  static constexpr int kPasses = 5;
  static constexpr Duration kPassEvery = 300ms;  // the answer goes through the primary's kernel
  static constexpr Duration kFrameEvery = 200us;

  bool add(const Session& session, Instant now);  // false: full
  void clear() { *this = Offers{}; }
  bool empty() const { return waiting_.empty(); }

  // A frame of offers may leave now.
  bool due(Instant now) const { return !waiting_.empty() && now >= next_at_; }
  std::optional<Instant> next_deadline() const;
  // Hands out what is to be offered next until `take` returns false (no more room); a frame's
  // worth.
  void hand_out(Instant now, const std::function<bool(const Session&)>& take);
  // Between two passes: forgets what `settled` says is settled; after the last pass hands the rest
  // to `declined`.
  void settle(Instant now, const std::function<bool(const Session&)>& settled,
              const std::function<void(const Session&)>& declined);

 private:
  std::vector<Session> waiting_;
  std::size_t at_ = 0;  // of the pass; waiting_.size(): it is over
  int passes_ = 0;      // that are over
  Instant next_at_{};
};

}  // namespace hotpair::dataplane
