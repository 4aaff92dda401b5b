// YAML text as a tree of values with line numbers, parsed by yaml-cpp. Bounded in size, depth and
// number of nodes; anchors and aliases are refused (a few bytes of them can mean gigabytes), and so
// are second documents. Duplicate keys are kept and marked. Nothing throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/result.hpp"

namespace hotpair::sys {

struct YamlEntry;

class YamlNode {
 public:
  enum class Kind : std::uint8_t { null, scalar, sequence, map };

  Kind kind = Kind::null;
  int line = 0;                    // from 1
  bool quoted = false;             // scalars: written in quotes, so text and nothing else
  std::string text;                // scalars: as written
  std::vector<YamlNode> items;     // sequences
  std::vector<YamlEntry> entries;  // maps, in the order of the file, duplicates included

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_map() const { return kind == Kind::map; }

  const YamlNode* find(std::string_view key) const;  // the first of that name

  // YAML 1.2 core schema. Integers: decimal and 0x hexadecimal; a leading zero is refused, for it
  // means eight to some and ten to others.
  std::optional<bool> as_bool() const;  // true, false
  std::optional<std::int64_t> as_integer() const;
  std::optional<std::string> as_text() const;  // any scalar

  // As shown in messages: the scalar's text cut to 60 bytes and freed of control characters,
  // "a list", "a map" or "nothing".
  std::string shown() const;
};

struct YamlEntry {
  std::string key;
  int line = 0;
  int first_line = 0;  // of the same key earlier in this map; 0: it is the first
  YamlNode value;
};

struct YamlProblem {
  int line = 0;  // 0: the text as a whole
  std::string message;
};

constexpr std::size_t kMaxYamlBytes = 256 * 1024;
constexpr int kMaxYamlDepth = 32;
constexpr std::size_t kMaxYamlNodes = 50'000;

// Empty text is a null node.
Result<YamlNode, YamlProblem> parse_yaml(std::string_view text);

}  // namespace hotpair::sys
