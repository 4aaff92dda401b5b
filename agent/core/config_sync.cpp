#include "agent/core/config_sync.hpp"

#include <algorithm>

namespace hotpair::agent {
namespace {

std::string_view last_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

bool has_odd_parts(std::string_view path) {
  const std::string closed = std::string(path) + "/";
  return !path.starts_with('/') || closed.find("//") != std::string::npos ||
         closed.find("/../") != std::string::npos || closed.find("/./") != std::string::npos;
}

// "[a-z]" or "[!0-9]" at the start of `pattern`: its length and whether it takes `c`; a bracket
// that is never closed stands for itself.
std::optional<std::pair<std::size_t, bool>> match_class(std::string_view pattern, char c) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool found = false;
  for (bool first = true; at < pattern.size(); first = false) {
    if (pattern[at] == ']' && !first) return std::pair{at + 1, found != negated && c != '/'};
    const char low = pattern[at];
    char high = low;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      high = pattern[at + 2];
      at += 2;
    }
    found = found || (low <= c && c <= high);
    ++at;
  }
  return std::nullopt;
}

// How much of `pattern`, which begins with no star, `c` matches; 0: none.
std::size_t match_one(std::string_view pattern, char c) {
  if (pattern.empty()) return 0;
  if (pattern[0] == '[')
    if (const auto bracket = match_class(pattern, c)) return bracket->second ? bracket->first : 0;
  return pattern[0] == c || (pattern[0] == '?' && c != '/') ? 1 : 0;
}

const ConfigEntry* find(const ConfigManifest& manifest, const std::string& path) {
  const auto found = manifest.find(path);
  return found == manifest.end() ? nullptr : &found->second;
}

bool same(const ConfigEntry* a, const ConfigEntry* b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

std::optional<ConfigEntry> copy_of(const ConfigEntry* entry) {
  return entry == nullptr ? std::nullopt : std::optional(*entry);
}

bool is_unseen(const std::string& path, const std::vector<std::string>& unseen) {
  return std::ranges::any_of(unseen, [&](const std::string& each) {
    return each == "/" || path == each || is_below(path, each);
  });
}

// Directories before what is in them; removals last, the deepest first.
bool goes_before(const ConfigOperation& a, const ConfigOperation& b) {
  if (a.entry.has_value() != b.entry.has_value()) return a.entry.has_value();
  return a.entry ? a.path < b.path : a.path > b.path;
}

// Where a directory becomes a file or a link, what was in it goes first.
void make_room(std::vector<ConfigOperation>& operations) {
  std::vector<std::string> replaced;
  for (const auto& each : operations)
    if (each.entry && each.entry->kind != ConfigEntry::Kind::directory && each.found &&
        each.found->kind == ConfigEntry::Kind::directory)
      replaced.push_back(each.path);
  std::stable_partition(operations.begin(), operations.end(), [&](const ConfigOperation& each) {
    return !each.entry && std::ranges::any_of(replaced, [&](const std::string& directory) {
      return is_below(each.path, directory);
    });
  });
}

std::vector<std::string> all_paths(const ConfigManifest& a, const ConfigManifest& b) {
  std::vector<std::string> paths;
  for (const auto* manifest : {&a, &b})
    for (const auto& [path, entry] : *manifest) paths.push_back(path);
  std::ranges::sort(paths);
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

void append_hex(std::string& text, const ContentHash& hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : hash) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  // Where to go on after a star that has eaten one character more. A star stops at a slash; then an
  // earlier double star, which does not, may still help.
  struct Star {
    std::size_t pattern = 0, text = 0;
  };
  std::optional<Star> star, deep;
  std::size_t p = 0, t = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      const bool doubled = p + 1 < pattern.size() && pattern[p + 1] == '*';
      p += doubled ? 2 : 1;
      (doubled ? deep : star) = Star{p, t};
      if (doubled) star.reset();
    } else if (const std::size_t taken = match_one(pattern.substr(p), text[t]); taken > 0) {
      p += taken;
      ++t;
    } else if (star && text[star->text] != '/') {
      p = star->pattern;
      t = ++star->text;
    } else if (deep) {
      star.reset();
      p = deep->pattern;
      t = ++deep->text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool is_glob(std::string_view pattern) {
  return pattern.find_first_of("*?[") != std::string_view::npos;
}

std::string glob_root(std::string_view pattern) {
  const std::size_t wild = pattern.find_first_of("*?[");
  const std::size_t slash = pattern.rfind('/', wild);
  return slash == 0 || slash == std::string_view::npos ? "/"
                                                       : std::string(pattern.substr(0, slash));
}

std::optional<std::string> scope_of(const ConfigScope& scope, std::string_view path) {
  if (has_odd_parts(path) || last_name(path).find(kBesideMark) != std::string_view::npos)
    return std::nullopt;
  if (std::ranges::find(scope.never, path) != scope.never.end()) return std::nullopt;
  for (const auto& glob : scope.ignore)
    if (glob_matches(glob, path) || glob_matches(glob, last_name(path))) return std::nullopt;
  for (const auto& each : scope.paths)
    if (path == each || is_below(path, each) || (is_glob(each) && glob_matches(each, path)))
      return each;
  return std::nullopt;
}

ConfigPlan plan_config(const ConfigManifest& sender, const ConfigManifest& receiver,
                       const ConfigManifest& base, ReceiverChanges policy, bool forced,
                       const std::vector<std::string>& unseen) {
  ConfigPlan plan;
  for (const std::string& path : all_paths(sender, receiver)) {
    const ConfigEntry* wanted = find(sender, path);
    const ConfigEntry* found = find(receiver, path);
    const ConfigEntry* before = find(base, path);
    if (same(wanted, found)) continue;
    if (wanted == nullptr && is_unseen(path, unseen)) {
      plan.unseen.push_back(path);
      continue;
    }
    const bool sender_changed = before == nullptr || !same(wanted, before);
    const bool receiver_changed = found != nullptr ? !same(found, before) : before != nullptr;
    const bool directory = found != nullptr && found->kind == ConfigEntry::Kind::directory;
    // A file that the receiver alone has and no base knows was made there.
    const bool made_there = wanted == nullptr && before == nullptr;
    if (receiver_changed && (!sender_changed || made_there) && !forced) {
      if (policy == ReceiverChanges::keep) {
        plan.kept.push_back(path);
        continue;
      }
      plan.reverted.push_back(path);
    } else if (receiver_changed && sender_changed && found != nullptr && !directory) {
      plan.conflicts.push_back(path);
    }
    plan.operations.push_back({path, copy_of(wanted), copy_of(found),
                               receiver_changed && found != nullptr && !directory});
  }
  std::ranges::sort(plan.operations, goes_before);
  make_room(plan.operations);
  return plan;
}

ConfigManifest next_base(const ConfigManifest& sender, const ConfigManifest& base,
                         const ConfigPlan& plan) {
  ConfigManifest next = sender;
  for (const auto* paths : {&plan.kept, &plan.unseen})
    for (const std::string& path : *paths) {
      next.erase(path);
      if (const ConfigEntry* before = find(base, path)) next[path] = *before;
    }
  return next;
}

std::string canonical_text(const ConfigManifest& manifest, const ConfigScope& scope,
                           std::string_view of) {
  std::string text;
  for (const auto& [path, entry] : manifest) {
    if (!of.empty() && scope_of(scope, path) != of) continue;
    text += std::to_string(static_cast<int>(entry.kind)) + " " + std::to_string(entry.mode) + " " +
            std::to_string(entry.user) + " " + std::to_string(entry.group) + " ";
    append_hex(text, entry.hash);
    text += " " + std::to_string(path.size()) + ":" + path + "\n";
  }
  return text;
}

Rendered render_template(std::string_view text, const std::map<std::string, std::string>& values) {
  Rendered out;
  for (;;) {
    const std::size_t open = text.find("{{");
    const std::size_t close = open == std::string_view::npos ? open : text.find("}}", open);
    if (close == std::string_view::npos) break;
    std::string name(text.substr(open + 2, close - open - 2));
    name.erase(0, name.find_first_not_of(' '));
    name.erase(name.find_last_not_of(' ') + 1);
    const auto value = values.find(name);
    if (value == values.end()) {
      out.unknown = name;
      return out;
    }
    out.text.append(text.substr(0, open));
    out.text.append(value->second);
    text.remove_prefix(close + 2);
  }
  out.text.append(text);
  return out;
}

}  // namespace hotpair::agent
