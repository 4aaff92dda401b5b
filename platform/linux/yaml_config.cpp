#include "platform/linux/yaml_config.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace hotpair::sys {
namespace {

// Thrown by the builder through yaml-cpp's parser and caught in parse_yaml.
struct Refused {
  YamlProblem problem;
};

// Turns the parser's events into a tree.
class TreeBuilder : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    value(start(YamlNode::Kind::null, mark, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not allowed: write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    YamlNode node = start(YamlNode::Kind::scalar, mark, anchor);
    refuse_tag(mark, tag);
    node.quoted = tag == "!";
    node.text = text;
    if (!node.quoted && (text == "~" || text == "null")) node.kind = YamlNode::Kind::null;
    value(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(start(YamlNode::Kind::sequence, mark, anchor));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(start(YamlNode::Kind::map, mark, anchor));
  }
  void OnMapEnd() override { close(); }

  YamlNode take() { return std::move(root_); }

 private:
  struct Open {
    YamlNode node;
    std::optional<std::pair<std::string, int>> key;  // read, its value still to come
  };

  [[noreturn]] static void refuse(const YAML::Mark& mark, std::string message) {
    throw Refused{{mark.line + 1, std::move(message)}};
  }

  // "?" is a plain value, "!" a quoted one (YAML 1.2 section 3.3.2); anything else was written out.
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag != "?" && tag != "!" && !tag.empty())
      refuse(mark, "tags (" + tag + ") are not allowed");
  }

  YamlNode start(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, "anchors (&name) are not allowed: write the value out");
    if (++nodes_ > kMaxYamlNodes)
      refuse(mark, "more than " + std::to_string(kMaxYamlNodes) + " values");
    YamlNode node;
    node.kind = kind;
    node.line = std::max(mark.line, 0) + 1;
    return node;
  }

  void open(YamlNode node) {
    if (open_.size() >= static_cast<std::size_t>(kMaxYamlDepth))
      throw Refused{{node.line, "nested deeper than " + std::to_string(kMaxYamlDepth) + " levels"}};
    if (awaits_key()) throw Refused{{node.line, "a key must be a word, not a list or a map"}};
    open_.push_back({std::move(node), std::nullopt});
  }

  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    value(std::move(node));
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().node.is_map() && !open_.back().key;
  }

  void value(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is_sequence()) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      parent.key = {std::move(node.text), node.line};
    } else {
      auto& entries = parent.node.entries;
      YamlEntry entry{std::move(parent.key->first), parent.key->second, 0, std::move(node)};
      for (const YamlEntry& other : entries)
        if (other.key == entry.key && entry.first_line == 0) entry.first_line = other.line;
      entries.push_back(std::move(entry));
      parent.key.reset();
    }
  }

  YamlNode root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
};

// What yaml-cpp would misread or report badly.
std::optional<YamlProblem> check_characters(std::string_view text) {
  if (text.size() > kMaxYamlBytes)
    return YamlProblem{0, "larger than " + std::to_string(kMaxYamlBytes) + " bytes"};
  int line = 1;
  bool indentation = true;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\t' && indentation)
      return YamlProblem{line, "a tab is used for indentation: use spaces"};
    if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f)
      return YamlProblem{line, "a control character: this is not a text file"};
    if (c == '\n') ++line;
    indentation = c == '\n' || (indentation && c == ' ');
  }
  return std::nullopt;
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const YamlEntry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

std::optional<bool> YamlNode::as_bool() const {
  if (!is_scalar() || quoted || (text != "true" && text != "false")) return std::nullopt;
  return text == "true";
}

std::optional<std::int64_t> YamlNode::as_integer() const {
  if (!is_scalar() || quoted || text.empty()) return std::nullopt;
  std::string_view digits = text;
  const bool negative = digits.front() == '-';
  if (negative || digits.front() == '+') digits.remove_prefix(1);
  const bool hexadecimal = digits.substr(0, 2) == "0x";
  if (hexadecimal) digits.remove_prefix(2);
  const bool leading_zero = !hexadecimal && digits.size() > 1 && digits.front() == '0';
  // from_chars would take a second sign.
  if (digits.empty() || leading_zero || digits.front() == '-') return std::nullopt;
  std::int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, value, hexadecimal ? 16 : 10);
  if (error != std::errc{} || at != end) return std::nullopt;
  return negative ? -value : value;
}

std::optional<std::string> YamlNode::as_text() const {
  if (!is_scalar()) return std::nullopt;
  return text;
}

std::string YamlNode::shown() const {
  constexpr std::size_t kShown = 60;
  if (is_sequence()) return "a list";
  if (is_map()) return "a map";
  if (is_null()) return "nothing";
  std::string cut = text.substr(0, kShown);
  for (char& c : cut)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text.size() > kShown ? cut + "..." : cut;
}

Result<YamlNode, YamlProblem> parse_yaml(std::string_view text) {
  if (auto problem = check_characters(text)) return fail(*problem);
  try {
    // yaml-cpp takes a newline at the end for the end of a quoted text that was never closed.
    const std::size_t last = text.find_last_not_of(" \r\n");
    std::istringstream stream{std::string(text.substr(0, last + 1))};
    YAML::Parser parser(stream);
    TreeBuilder first, second;
    parser.HandleNextDocument(first);
    if (parser.HandleNextDocument(second)) {
      const int line = second.take().line;
      return fail(
          YamlProblem{line, "this does not belong to what stands above, or is a second document"});
    }
    return first.take();
  } catch (const Refused& refused) {
    return fail(refused.problem);
  } catch (const YAML::Exception& error) {
    return fail(YamlProblem{std::max(error.mark.line, 0) + 1, error.msg});
  } catch (const std::exception& error) {
    return fail(YamlProblem{0, error.what()});
  }
}

}  // namespace hotpair::sys
