// Asks the code that is here for the decisions of a recording again, and compares. Pure: records
// in, differences out.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/core/node.hpp"
#include "agent/core/recording.hpp"
#include "platform/base/result.hpp"

namespace hotpair::agent {

struct Replayed {
  enum class Difference : std::uint8_t {
    none,
    actions,  // something else was asked for than is now
    // The same was asked for, but the node that did so has another role or epoch, or wants to look
    // again at another time.
    state,
    snapshot,  // where the segment before ended is not where this one begins
  };
  Difference difference = Difference::none;
  const Actions* decided = nullptr;  // until the next record; null: the record decides nothing
};

class Replay {
 public:
  Replay();
  ~Replay();
  Replay(Replay&&) noexcept;

  // A beginning may follow an end: the next segment. The failure: a beginning that no node can
  // start from.
  Result<Replayed, std::string> take(const Record& record);

  const Node* node() const;  // null before the first beginning
  std::uint64_t steps() const;
  // Of snapshots: fields that one version has and the other not.
  std::size_t missing_fields() const;
  std::size_t unknown_fields() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hotpair::agent
