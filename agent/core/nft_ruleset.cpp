#include "agent/core/nft_ruleset.hpp"

#include <algorithm>
#include <array>

#include "agent/core/management_ports.hpp"

namespace hotpair::agent {
namespace {

constexpr std::array<std::string_view, 6> kFamilies = {"ip",     "ip6", "inet",
                                                       "bridge", "arp", "netdev"};
using Key = std::pair<std::string, std::string>;

// The lines of a text; a line's end between quotes is none.
class Lines {
 public:
  explicit Lines(std::string_view text) : left_(text) {}

  std::optional<std::string_view> next() {
    if (left_.empty()) return std::nullopt;
    bool quoted = false;
    std::size_t end = 0;
    for (; end < left_.size() && (quoted || left_[end] != '\n'); ++end)
      quoted = quoted != (left_[end] == '"');
    const std::string_view line = left_.substr(0, end);
    left_.remove_prefix(std::min(end + 1, left_.size()));
    return line;
  }

 private:
  std::string_view left_;
};

std::string_view unindented(std::string_view line) {
  const std::size_t start = line.find_first_not_of("\t ");
  return start == std::string_view::npos ? std::string_view() : line.substr(start);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = unindented(text)).empty()) {
    const std::size_t end = std::min(text.find_first_of("\t "), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

// "set x {" as kind and name.
std::optional<Key> opened(std::string_view line) {
  if (!line.ends_with(" {")) return std::nullopt;
  line.remove_suffix(2);
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos || space == 0) return std::nullopt;
  return Key(line.substr(0, space), line.substr(space + 1));
}

bool holds_elements(const Key& key) {
  return key.first == "set" || key.first == "map";
}

bool is_declaration(const Key& key, std::string_view line, bool before_rules) {
  if (key.first != "chain") return true;
  const std::array<std::string_view, 4> starts = {"type ", "comment ", "flags ", "policy "};
  return before_rules && std::ranges::any_of(starts, [&](auto s) { return line.starts_with(s); });
}

// Elements that come and go by themselves.
bool is_timed(const NftObject& object) {
  Lines lines(object.head);
  while (const auto line = lines.next())
    if (line->starts_with("timeout ") ||
        (line->starts_with("flags ") && (line->find("timeout") != std::string_view::npos ||
                                         line->find("dynamic") != std::string_view::npos)))
      return true;
  return false;
}

bool is_left_out(const std::string& table, const Key& key, const NftObject& object,
                 const std::vector<NftSetName>& by_element) {
  if (is_timed(object)) return true;
  const auto family = table.substr(0, table.find(' '));
  const NftSetName whole{family, table.substr(family.size() + 1), key.second};
  return std::ranges::any_of(by_element, [&](const auto& each) { return each.matches(whole); });
}

bool is_foreign(const std::string& name, const NftTable& table) {
  return name == std::string("inet ") + kManagementTable ||
         (table.head.find("flags") != std::string::npos &&
          table.head.find("owner") != std::string::npos);
}

// "elements = { a, b }" over several lines, as the elements alone.
std::string elements_of(std::string_view text) {
  const std::size_t open = text.find('{'), close = text.rfind('}');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  std::string elements;
  bool quoted = false;
  for (const char c : text.substr(open + 1, close - open - 1)) {
    quoted = quoted != (c == '"');
    const bool space = !quoted && (c == '\n' || c == '\t' || c == ' ');
    if (space && (elements.empty() || elements.back() == ' ')) continue;
    elements += space ? ' ' : c;
  }
  while (elements.ends_with(' ')) elements.pop_back();
  return elements;
}

// The object whose first line was read, to its end; false: the text ends before.
bool read_object(Lines& lines, const Key& key, NftObject& object) {
  std::string elements;
  while (const auto line = lines.next()) {
    if (*line == "\t}") {
      if (!elements.empty()) object.body = elements_of(elements);
      return true;
    }
    const std::string_view text = unindented(*line);
    if (text.empty()) continue;
    if (holds_elements(key) && (!elements.empty() || text.starts_with("elements = {")))
      elements += std::string(text) + "\n";
    else if (is_declaration(key, text, object.body.empty()))
      object.head += std::string(text) + "\n";
    else
      object.body += std::string(text) + "\n";
  }
  return false;
}

bool read_table(Lines& lines, NftTable& table) {
  while (const auto line = lines.next()) {
    if (*line == "}") return true;
    const std::string_view text = unindented(*line);
    if (text.empty() || text.starts_with('#')) continue;
    const auto key = opened(text);
    if (!key) {
      table.head += std::string(text) + "\n";
    } else if (!read_object(lines, *key, table.objects[*key])) {
      return false;
    }
  }
  return false;
}

std::string object_text(const Key& key, const NftObject& object, bool declared) {
  std::string text = "\t" + key.first + " " + key.second + " {\n" + (declared ? object.head : "");
  if (!holds_elements(key))
    text += object.body;
  else if (!object.body.empty())
    text += "elements = { " + object.body + " }\n";
  return text + "\t}\n";
}

std::string table_text(const std::string& name, const NftTable& table) {
  std::string text = "table " + name + " {\n" + table.head;
  for (const auto& [key, object] : table.objects) text += object_text(key, object, true);
  return text + "}\n";
}

// Whether rules and elements alone make the one of the other, or chains and sets that come and go.
bool is_gradual(const NftTable& present, const NftTable& wanted) {
  if (present.head != wanted.head) return false;
  const auto fits = [](const NftTable& one, const NftTable& other) {
    return std::ranges::all_of(one.objects, [&](const auto& entry) {
      const auto found = other.objects.find(entry.first);
      if (found != other.objects.end()) return found->second.head == entry.second.head;
      return entry.first.first == "chain" || holds_elements(entry.first);
    });
  };
  return fits(present, wanted) && fits(wanted, present);
}

// References go before what they refer to: first chains and sets are emptied, then removed.
std::string gradual_change(const std::string& name, const NftTable& present,
                           const NftTable& wanted) {
  std::string emptied_chains, emptied_sets, removed_chains, removed_sets, block, elements;
  for (const auto& [key, object] : present.objects) {
    const auto found = wanted.objects.find(key);
    const bool stays = found != wanted.objects.end();
    if (stays && found->second == object) continue;
    const std::string what = key.first + " " + name + " " + key.second + "\n";
    (key.first == "chain" ? emptied_chains : emptied_sets) += "flush " + what;
    if (!stays) (key.first == "chain" ? removed_chains : removed_sets) += "delete " + what;
  }
  for (const auto& [key, object] : wanted.objects) {
    const auto found = present.objects.find(key);
    const bool is_new = found == present.objects.end();
    if (!is_new && found->second == object) continue;
    if (is_new || key.first == "chain")
      block += object_text(key, object, is_new);
    else if (!object.body.empty())
      elements += "add element " + name + " " + key.second + " { " + object.body + " }\n";
  }
  // Without its flags a table that is named would lose them.
  if (!block.empty()) block = "table " + name + " {\n" + wanted.head + block + "}\n";
  return emptied_chains + emptied_sets + removed_chains + removed_sets + block + elements;
}

}  // namespace

std::optional<NftRuleset> parse_ruleset(std::string_view text,
                                        const std::vector<NftSetName>& by_element) {
  NftRuleset ruleset;
  Lines lines(text);
  while (const auto line = lines.next()) {
    if (line->empty() || line->starts_with('#')) continue;
    const auto key = opened(*line);
    const auto words = key ? words_of(key->first) : std::vector<std::string_view>();
    if (words.size() != 2 || words[0] != "table" ||
        std::ranges::find(kFamilies, words[1]) == kFamilies.end())
      return std::nullopt;
    const std::string name = std::string(words[1]) + " " + key->second;
    NftTable& table = ruleset[name];
    if (!read_table(lines, table)) return std::nullopt;
    for (auto& [object_key, object] : table.objects)
      if (holds_elements(object_key) && is_left_out(name, object_key, object, by_element))
        object.body.clear();
    if (is_foreign(name, table)) ruleset.erase(name);
  }
  return ruleset;
}

std::vector<std::string> sets_with_elements(const NftRuleset& ruleset,
                                            const std::vector<NftSetName>& by_element) {
  std::vector<std::string> sets;
  for (const auto& [name, table] : ruleset)
    for (const auto& [key, object] : table.objects)
      if (holds_elements(key) && !is_left_out(name, key, object, by_element))
        sets.push_back(key.first + " " + name + " " + key.second);
  return sets;
}

void add_elements(NftRuleset& ruleset, const NftRuleset& listed) {
  for (const auto& [name, table] : listed) {
    const auto found = ruleset.find(name);
    if (found == ruleset.end()) continue;
    for (const auto& [key, object] : table.objects)
      if (const auto known = found->second.objects.find(key); known != found->second.objects.end())
        known->second.body = object.body;
  }
}

std::string ruleset_text(const NftRuleset& ruleset) {
  std::string text;
  for (const auto& [name, table] : ruleset) text += table_text(name, table);
  return text;
}

NftTransition transition(const NftRuleset& present, const NftRuleset& wanted) {
  NftTransition result;
  std::string removed, added;
  for (const auto& [name, table] : present)
    if (!wanted.contains(name)) removed += "delete table " + name + "\n";
  for (const auto& [name, table] : wanted) {
    const auto found = present.find(name);
    if (found != present.end() && found->second == table) continue;
    if (found == present.end()) {
      added += table_text(name, table);
    } else if (is_gradual(found->second, table)) {
      added += gradual_change(name, found->second, table);
    } else {
      result.made_anew.push_back(name);
      added += "delete table " + name + "\n" + table_text(name, table);
    }
  }
  result.script = removed + added;
  return result;
}

}  // namespace hotpair::agent
