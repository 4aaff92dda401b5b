// Codecs made of codecs: maps with known keys, maps with free keys, lists.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "platform/config/codec.hpp"

namespace hotpair::config {

inline void add_keys(std::vector<Key>& all, const std::string& above,
                     const std::vector<Key>& below) {
  for (const Key& key : below) all.push_back({above + "." + key.path, key.required, key.allowed});
}

template <typename S>
std::vector<Key> keys_of(const Fields<S>& fields) {
  std::vector<Key> all;
  for (const Field<S>& f : fields) {
    all.push_back({f.key, f.required, f.allowed});
    add_keys(all, f.key, f.keys);
  }
  return all;
}

// A map with the keys of `fields`. `check` sees the whole and reports what its parts cannot know.
template <typename S>
Codec<S> object(Fields<S> list, std::function<void(const Input&, S&)> check = nullptr) {
  const auto shared = share(std::move(list));
  auto read = [shared, check](const Input& in) -> std::optional<S> {
    const Fields<S>& fields = *shared;
    S out{};
    if (!in.node.is_map() && !in.node.is_null()) {
      in.refuse("a map of keys and values");
      return std::nullopt;
    }
    for (const sys::YamlEntry& entry : in.node.entries) {
      const auto found = std::find_if(fields.begin(), fields.end(),
                                      [&](const auto& f) { return f.key == entry.key; });
      if (found == fields.end()) {
        std::vector<std::string> known;
        for (const auto& f : fields) known.push_back(f.key);
        report_unknown_key(in, entry, known);
      } else if (entry.first_line != 0) {
        report_duplicate_key(in, entry);
      } else {
        const Input child = in.child(entry.value, entry.key);
        in.context.remember(child.path, entry.line);
        found->read(child, out);
      }
    }
    for (const auto& f : fields)
      if (f.required && in.node.find(f.key) == nullptr)
        in.context.report(in.node.line, in.child(in.node, f.key).path, "", f.allowed);
    if (check) check(in, out);
    return out;
  };
  auto show = [shared](const S& s) {
    std::string text = "{";
    // What has its default is not shown: a version that knows more keys shows the same.
    const S defaults{};
    for (const auto& f : *shared)
      if (const std::string shown = f.show(s); shown != f.show(defaults))
        text += f.key + "=" + shown + ";";
    return text + "}";
  };
  return {read, show, "a map of keys and values", keys_of(*shared)};
}

enum class Order : std::uint8_t { matters, does_not };

// Absent and empty are the same unless `at_least` says otherwise.
template <typename T>
Codec<std::vector<T>> list_of(Codec<T> codec, std::size_t at_least, std::size_t at_most,
                              Order order, const std::string& what) {
  const std::string allowed =
      "a list of " + std::to_string(at_least) + " to " + std::to_string(at_most) + " " + what;
  const auto shared = share(std::move(codec));
  auto read = [=](const Input& in) -> std::optional<std::vector<T>> {
    const bool list = in.node.is_sequence() || in.node.is_null();
    if (!list || in.node.items.size() < at_least || in.node.items.size() > at_most) {
      const std::string found = std::to_string(in.node.items.size()) + " items";
      in.context.report(in.node.line, in.path, in.node.is_sequence() ? found : in.node.shown(),
                        allowed);
      return std::nullopt;
    }
    std::vector<T> out;
    for (std::size_t i = 0; i < in.node.items.size(); ++i) {
      const Input item = in.item(i);
      in.context.remember(item.path, item.node.line);
      // A refused item keeps its place, so that later checks name the right line.
      out.push_back(shared->read(item).value_or(T{}));
    }
    return out;
  };
  auto show = [shared, order](const std::vector<T>& items) {
    std::vector<std::string> shown;
    for (const T& item : items) shown.push_back(shared->show(item));
    if (order == Order::does_not) std::sort(shown.begin(), shown.end());
    std::string text = "[";
    for (const std::string& each : shown) text += each + ",";
    return text + "]";
  };
  return {read, show, allowed, shared->keys};
}

// A map whose keys are free within `check_key` (false: reported as not allowed).
template <typename K, typename V>
Codec<std::map<K, V>> map_of(std::function<std::optional<K>(const std::string&)> read_key,
                             const std::string& allowed_key, Codec<V> codec, std::size_t at_most) {
  const std::string allowed = "a map of at most " + std::to_string(at_most) + " entries";
  const auto shared = share(std::move(codec));
  auto read = [=](const Input& in) -> std::optional<std::map<K, V>> {
    std::map<K, V> out;
    if ((!in.node.is_map() && !in.node.is_null()) || in.node.entries.size() > at_most) {
      in.refuse(allowed);
      return std::nullopt;
    }
    for (const sys::YamlEntry& entry : in.node.entries) {
      const Input child = in.child(entry.value, entry.key);
      const std::optional<K> key = read_key(entry.key);
      if (!key) {
        in.context.report(entry.line, in.path, entry.key.substr(0, 60), allowed_key);
      } else if (entry.first_line != 0 || out.contains(*key)) {
        report_duplicate_key(in, entry);
      } else {
        in.context.remember(child.path, entry.line);
        if (auto value = shared->read(child)) out.emplace(*key, std::move(*value));
      }
    }
    return out;
  };
  auto show = [shared](const std::map<K, V>& map) {
    std::string shown = "{";
    for (const auto& [key, value] : map) {
      if constexpr (std::is_arithmetic_v<K>)
        shown += std::to_string(key) + "=" + shared->show(value) + ";";
      else
        shown += show_text(key) + "=" + shared->show(value) + ";";
    }
    return shown + "}";
  };
  std::vector<Key> keys;
  add_keys(keys, "*", shared->keys);
  return {read, show, allowed, keys};
}

}  // namespace hotpair::config
