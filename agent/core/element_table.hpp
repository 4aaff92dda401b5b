// The elements of a set as one node told them to the other: what has to be told when its kernel has
// others, and what has to be done where a kernel has others than were told. What a key, a value or
// a state is, nobody here knows.
//
// Times are told as what is left of them and kept as the instant of their end, so two boxes need no
// common clock. A kernel that is read while packets add elements may leave one out that is there:
// what is missing is believed at the second reading, or when its time was over anyway. What a
// kernel reports of single elements costs what they are, however many there are.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/base/time.hpp"

namespace hotpair::agent {

struct SetElement {
  std::string key;
  std::string value;             // what it means; another one is a change
  std::string state;             // goes along when it is told, and is no change
  std::uint64_t timeout_ms = 0;  // as it was given; not judged
  std::uint64_t left_ms = 0;     // 0: it never expires
  friend bool operator==(const SetElement&, const SetElement&) = default;
};

// What a kernel tells of one element: it is so, or gone. Of one that is gone the key counts.
struct ElementReport {
  SetElement element;
  bool gone = false;
};

struct ElementChange {
  std::vector<std::string> removed;  // by key
  std::vector<SetElement> set;       // new, or otherwise than they were
  bool empty() const { return removed.empty() && set.empty(); }
};

constexpr std::size_t kMaxElements = 500'000;  // in all sets of a node

class ElementTable {
 public:
  // What makes this table say what `found` says.
  ElementChange difference(const std::vector<SetElement>& found, Instant now);
  // Something was missing for the first time: read again soon.
  bool in_doubt() const { return in_doubt_; }
  // The same of single elements, in the order of what happened to them.
  ElementChange difference(const std::vector<ElementReport>& reports, Instant now) const;
  // Those whose time is over by what was told last; of use where nobody renews elements untold.
  ElementChange ended(Instant now);
  void apply(const ElementChange& change, Instant now);

  // What makes a kernel that has `found` have what was told. `removed` has also those of `set` that
  // are there otherwise: a kernel changes no element in place.
  ElementChange repair(const std::vector<SetElement>& found, Instant now) const;
  ElementChange repair(const std::vector<ElementReport>& reports, Instant now) const;
  // The same for a kernel that has what was told so far: what to do so that it follows `change`.
  ElementChange follow(const ElementChange& change, Instant now) const;

  std::size_t size() const { return entries_.size(); }
  void clear();
  std::uint64_t digest() const { return digest_; }  // of keys and values, whatever their order

 private:
  struct Entry {
    std::string value, state;
    std::uint64_t timeout_ms = 0;
    Instant ends = Instant::max();
    bool missing = false, seen = false;
  };
  static bool is_as_told(const Entry& entry, const SetElement& element, Instant now);
  static SetElement as_told(const std::string& key, const Entry& entry, Instant now);
  void erase(const std::string& key);

  std::unordered_map<std::string, Entry> entries_;
  bool in_doubt_ = false;
  std::uint64_t digest_ = 0;            // the sum of every element's
  Instant first_end_ = Instant::max();  // no element ends before
};

}  // namespace hotpair::agent
