// Elements of one set in messages between the two agents (WIRE.md). Decoders return none for what
// is malformed or out of bounds.
#pragma once

#include <optional>

#include "agent/core/element_table.hpp"
#include "agent/core/nft_ruleset.hpp"
#include "agent/core/route_wire.hpp"

namespace hotpair::agent {

constexpr std::size_t kMaxElementsMessage = 1u << 20;
constexpr std::size_t kMaxElementPart = 4096;  // key, value and state each

struct ElementsMessage {
  NftSetName set;
  bool whole = false;  // all elements there are; else what changed
  bool last = false;   // of this change, or of the whole
  ElementChange change;
  friend bool operator==(const ElementsMessage& a, const ElementsMessage& b) {
    return a.set == b.set && a.whole == b.whole && a.last == b.last &&
           a.change.removed == b.change.removed && a.change.set == b.change.set;
  }
};

// A change cut into messages, the last one marked; an empty one is one message. Elements with a
// larger part than allowed are left out: no kernel has them.
std::vector<ByteVector> encode_elements(const NftSetName& set, bool whole,
                                        const ElementChange& change);
std::optional<ElementsMessage> decode_elements(Bytes bytes);

}  // namespace hotpair::agent
