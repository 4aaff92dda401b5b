// All that a node knows, as bytes, so that a recording can begin in the middle of its life. The
// configuration is not in it. Fields go by name (field_codec.hpp), so another version reads what
// it knows.
#pragma once

#include <string>

#include "agent/core/node.hpp"
#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"

namespace hotpair::agent {

constexpr std::size_t kMaxSnapshotSize = 48 * 1024;

struct NodeSnapshot {
  // The bytes written, at most kMaxSnapshotSize; 0 when `out` is too small. Not during a step.
  static std::size_t write(const Node& node, MutableBytes out);

  struct Read {
    Node node;
    std::size_t missing = 0;  // fields that the snapshot does not have: as in a node just started
    std::size_t unknown = 0;  // fields that this version does not have
  };
  // The failure names the field that has an impossible value. The bytes may be anybody's.
  static Result<Read, std::string> read(Bytes bytes, const NodeConfig& config);
};

}  // namespace hotpair::agent
