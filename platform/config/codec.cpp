#include "platform/config/codec.hpp"

#include <algorithm>
#include <numeric>

#include "platform/base/words.hpp"

namespace hotpair::config {
namespace {

// More would bury the first ones.
constexpr std::size_t kMaxProblems = 100;

// Insertions, deletions and replacements between two words.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string in_order(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  return joined(words);
}

std::string shown_key(const std::string& key) {
  sys::YamlNode node;
  node.kind = sys::YamlNode::Kind::scalar;
  node.text = key;
  return node.shown();
}

}  // namespace

void Context::report(int line, std::string key, std::string found, std::string allowed) {
  if (out_.size() < kMaxProblems)
    out_.push_back({file_, line, std::move(key), std::move(found), std::move(allowed)});
}

int Context::line_of(const std::string& path) const {
  std::string at = path;
  for (;;) {
    if (auto found = lines_.find(at); found != lines_.end()) return found->second;
    const std::size_t cut = at.find_last_of(".[");
    if (cut == std::string::npos) return 0;
    at.resize(cut);
  }
}

std::string show_text(const std::string& text) {
  return std::to_string(text.size()) + ":" + text;
}

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongestWord = 64;  // longer ones are no typing mistakes
  if (word.size() > kLongestWord) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t d = distance(word, candidate);
    if (d < best_distance && d < candidate.size()) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

void report_unknown_key(const Input& map, const sys::YamlEntry& entry,
                        const std::vector<std::string>& known) {
  const std::string key = shown_key(entry.key);
  const std::string guess = nearest(entry.key, known);
  const std::string path = map.path.empty() ? key : map.path + "." + key;
  const std::string list = in_order(known);
  map.context.report(entry.line, path, "unknown key " + key,
                     guess.empty() ? "one of " + list : guess + " (of " + list + ")");
}

void report_duplicate_key(const Input& map, const sys::YamlEntry& entry) {
  const std::string path = map.path.empty() ? entry.key : map.path + "." + entry.key;
  map.context.report(entry.line, path, "the key a second time",
                     "once (it stands on line " + std::to_string(entry.first_line) + ")");
}

}  // namespace hotpair::config
