// An nftables ruleset as text: taken apart as `nft -s list ruleset` prints it, compared without
// regard to order where order means nothing, and the commands that turn one into another in one
// transaction. Pure; whoever runs nft is the shell.
//
// What does not belong to it: our own table, tables that a running program owns (`flags owner`),
// and the elements of sets and maps that come and go by themselves or are synchronised one by one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hotpair::agent {

// A set or map.
struct NftSetName {
  std::string family, table, name;  // family and table empty: any
  friend bool operator==(const NftSetName&, const NftSetName&) = default;
  friend auto operator<=>(const NftSetName&, const NftSetName&) = default;
  bool matches(const NftSetName& whole) const {
    return name == whole.name && (table.empty() || table == whole.table) &&
           (family.empty() || family == whole.family);
  }
  std::string text() const { return table.empty() ? name : family + " " + table + " " + name; }
};

// A chain, set, map, counter, ... The head is its declaration; the body a chain's rules, a set's
// elements, and nothing of others. Lines without their indentation, each with its end.
struct NftObject {
  std::string head, body;
  friend bool operator==(const NftObject&, const NftObject&) = default;
};

struct NftTable {
  std::string head;                                                  // flags, comment
  std::map<std::pair<std::string, std::string>, NftObject> objects;  // by kind and name
  friend bool operator==(const NftTable&, const NftTable&) = default;
};

// Tables by "family name".
using NftRuleset = std::map<std::string, NftTable>;

constexpr std::size_t kMaxRulesetText = 16u << 20;

// None: that is not what nft prints. `by_element`: sets whose elements do not belong to it.
std::optional<NftRuleset> parse_ruleset(std::string_view text,
                                        const std::vector<NftSetName>& by_element);

// The sets and maps whose elements belong to the ruleset, for a listing that left elements out.
std::vector<std::string> sets_with_elements(const NftRuleset& ruleset,
                                            const std::vector<NftSetName>& by_element);
// Takes over the bodies of the sets and maps of `listed`.
void add_elements(NftRuleset& ruleset, const NftRuleset& listed);

// What `nft -f` loads; tables and objects in one order, whatever the order they were made in.
std::string ruleset_text(const NftRuleset& ruleset);

// What `nft -f` loads to make `wanted` of `present`, in one transaction. What is alike stays, with
// its counters and elements; a table is made anew only where another declaration asks for it, and
// is then named in `made_anew`. Empty: nothing is to be done.
struct NftTransition {
  std::string script;
  std::vector<std::string> made_anew;  // of those that were there
};
NftTransition transition(const NftRuleset& present, const NftRuleset& wanted);

}  // namespace hotpair::agent
