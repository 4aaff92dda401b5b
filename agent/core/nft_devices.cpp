#include "agent/core/nft_devices.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace hotpair::agent {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '@';
}

// What stands quoted behind these is no device.
bool names_something_else(std::string_view before) {
  constexpr std::array<std::string_view, 4> words = {"comment", "prefix", "name", "set"};
  return std::ranges::find(words, before) != words.end();
}

class Renaming {
 public:
  Renaming(std::string_view text, const std::map<std::string, std::string>& names)
      : left_(text), names_(names) {}

  std::string done() {
    while (!left_.empty()) {
      const char c = left_.front();
      if (c == '"')
        quoted();
      else if (is_word(c))
        word();
      else
        other(c);
    }
    return std::move(out_);
  }

 private:
  std::string named(std::string_view name) const {
    const auto found = names_.find(std::string(name));
    return found == names_.end() ? std::string(name) : found->second;
  }

  void quoted() {
    const std::size_t end = left_.find('"', 1);
    if (end == std::string_view::npos) return take(left_.size());
    const std::string_view inside = left_.substr(1, end - 1);
    out_ += '"' + (names_something_else(last_) ? std::string(inside) : named(inside)) + '"';
    last_ = {};
    left_.remove_prefix(end + 1);
  }

  // Without quotes names stand in `devices = { lan, wan }` alone.
  void word() {
    const auto end = std::ranges::find_if_not(left_, is_word) - left_.begin();
    last_ = left_.substr(0, static_cast<std::size_t>(end));
    left_.remove_prefix(last_.size());
    out_ += in_devices_ ? named(last_) : std::string(last_);
    after_devices_ = after_devices_ || last_ == "devices";
  }

  void other(char c) {
    if (c == '{') in_devices_ = after_devices_;
    if (c == '}' || c == '\n') in_devices_ = after_devices_ = false;
    take(1);
  }

  void take(std::size_t count) {
    out_ += left_.substr(0, count);
    left_.remove_prefix(count);
  }

  std::string_view left_, last_;
  const std::map<std::string, std::string>& names_;
  std::string out_;
  bool after_devices_ = false, in_devices_ = false;
};

}  // namespace

NftRuleset with_devices(const NftRuleset& ruleset,
                        const std::map<std::string, std::string>& names) {
  NftRuleset renamed = ruleset;
  if (names.empty()) return renamed;
  for (auto& [table_name, table] : renamed)
    for (auto& [key, object] : table.objects) {
      object.head = Renaming(object.head, names).done();
      object.body = Renaming(object.body, names).done();
    }
  return renamed;
}

}  // namespace hotpair::agent
