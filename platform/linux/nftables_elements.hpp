// Elements of nftables' sets and maps as netlink attributes, taken over as they are: what a key, a
// verdict or a counter means is between the kernels. Pure; nftables_sets.hpp reads and writes them.
// Sources: linux/netfilter/nf_tables.h (NFTA_SET_ELEM_*), net/netfilter/nf_tables_api.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/bytes.hpp"

struct nlmsghdr;

namespace hotpair::sys {

constexpr std::uint64_t kSetsOwnTimeout = ~std::uint64_t{0};

// Attributes one after the other, padded. An interval of a set that keeps its two ends apart is one
// element: its key ends with the other end's.
struct NftElement {
  std::string key;
  std::string value;  // what a map gives, the object it names, the comment
  std::string state;  // counters, limits: they change by themselves
  std::uint64_t timeout_ms = kSetsOwnTimeout;
  std::uint64_t left_ms = 0;  // 0: it never expires
  friend bool operator==(const NftElement&, const NftElement&) = default;
};

// A set or map.
struct NftSetId {
  std::string family, table, name;  // family: ip, ip6, inet, bridge, arp or netdev
  friend auto operator<=>(const NftSetId&, const NftSetId&) = default;
};

// An element of a NFT_MSG_NEWSETELEM; an end of an interval by itself has `ends`.
struct NftRawElement {
  NftElement element;
  bool ends = false;
};
// What the kernel told of one, as it happened.
struct NftElementEvent {
  NftRawElement raw;
  bool gone = false;
  std::uint64_t transaction = 0;  // those of one happened at once
};

// Adds those of a message; false: it is malformed.
bool parse_elements(nlmsghdr& message, std::vector<NftRawElement>& out);
// Starts and ends of intervals as one element each, in any order given.
std::vector<NftElement> pair_intervals(std::vector<NftRawElement> raw);
// The same of events: those of a transaction that are gone before those that are there. None: they
// tell of parts of intervals, so the set has to be read.
std::optional<std::vector<NftElementEvent>> pair_intervals(std::vector<NftElementEvent> events);

// Whether these are attributes that an element may have; asked of what another box sent.
bool is_well_formed(const NftElement& element);
bool is_well_formed_key(std::string_view key);

// The attributes of NFTA_SET_ELEM_LIST_ELEMENTS for it: one NFTA_LIST_ELEM, or two of an interval.
// `whole`: with value, state and times, to add it; else what it takes to delete it.
std::string element_attributes(const NftElement& element, bool whole);

}  // namespace hotpair::sys
