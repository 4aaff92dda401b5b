// The parts of ctnetlink messages that several kinds of message have: tuples, and what becomes a
// session's extras. Each returns false when its attribute is not well formed.
#pragma once

#include <optional>

#include <netlink/attr.h>

#include "dataplane/core/session.hpp"

namespace hotpair::conntrack {

struct ParsedTuple {
  dataplane::Tuple tuple;
  std::uint8_t protocol = 0;
  std::optional<std::uint16_t> zone;  // of this direction alone
};
bool parse_tuple(const nlattr* nest, bool ipv6, ParsedTuple& out);

bool parse_helper(const nlattr* nest, dataplane::Extras& out);
bool parse_labels(const nlattr* attribute, dataplane::Extras& out);
bool parse_sequence(const nlattr* nest, std::size_t direction, dataplane::Extras& out);
bool parse_synproxy(const nlattr* nest, dataplane::SynproxyState& out);
bool parse_sctp(const nlattr* nest, std::uint8_t& state, dataplane::Extras& out);
bool parse_dccp(const nlattr* nest, std::uint8_t& state, dataplane::Extras& out);

}  // namespace hotpair::conntrack
