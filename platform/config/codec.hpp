// The machinery behind the schema's tables. A Codec reads one kind of value from YAML, says what it
// allows and shows the value in one canonical spelling (the digest is made of it). A Field ties a
// key to a member and a codec, so that a key of the configuration is one line of a table.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/config/config.hpp"
#include "platform/linux/yaml_config.hpp"

namespace hotpair::config {

// One file being read: collects its problems and remembers on which line each key stands.
class Context {
 public:
  Context(std::string file, ConfigProblems& problems) : file_(std::move(file)), out_(problems) {}

  void report(int line, std::string key, std::string found, std::string allowed);
  void remember(const std::string& path, int line) { lines_.emplace(path, line); }
  bool given(const std::string& path) const { return lines_.contains(path); }
  int line_of(const std::string& path) const;  // of the nearest enclosing key that was given

 private:
  std::string file_;
  ConfigProblems& out_;
  std::unordered_map<std::string, int> lines_;
};

// A value and where it stands: "heartbeat.interval", "modules[2].slot".
struct Input {
  Context& context;
  const sys::YamlNode& node;
  std::string path;

  void refuse(const std::string& allowed) const {
    context.report(node.line, path, node.shown(), allowed);
  }
  Input child(const sys::YamlNode& value, const std::string& key) const {
    return {context, value, path.empty() ? key : path + "." + key};
  }
  Input item(std::size_t index) const {
    return {context, node.items[index], path + "[" + std::to_string(index) + "]"};
  }
};

// A key that a schema knows, for documents: its path without the places in lists, '*' for a free
// key.
struct Key {
  std::string path;  // "heartbeat.interval", "modules.*.priority"
  bool required = false;
  std::string allowed;
};

template <typename T>
struct Codec {
  std::function<std::optional<T>(const Input&)> read;  // none: the problem was reported
  std::function<std::string(const T&)> show;
  std::string allowed;
  std::vector<Key> keys = {};  // of maps, in the order of their tables
};

template <typename S>
struct Field {
  std::string key;
  bool required = false;
  std::string allowed;
  std::function<void(const Input&, S&)> read;
  std::function<std::string(const S&)> show;
  std::vector<Key> keys;  // below this one
};
template <typename S>
using Fields = std::vector<Field<S>>;

// Codecs nest and functions copy what they hold: what is shared here is built once and never
// changes.
template <typename T>
std::shared_ptr<const T> share(T value) {
  return std::make_shared<const T>(std::move(value));
}

template <typename S, typename M>
Field<S> field(const char* key, M S::*member, Codec<M> codec) {
  const auto c = share(std::move(codec));
  auto read = [member, c](const Input& in, S& out) {
    if (auto value = c->read(in)) out.*member = std::move(*value);
  };
  auto show = [member, c](const S& s) { return c->show(s.*member); };
  return {key, false, c->allowed, read, show, c->keys};
}
template <typename S, typename M>
Field<S> field(const char* key, std::optional<M> S::*member, Codec<M> codec) {
  const auto c = share(std::move(codec));
  auto read = [member, c](const Input& in, S& out) { out.*member = c->read(in); };
  auto show = [member, c](const S& s) {
    return s.*member ? c->show(*(s.*member)) : std::string("-");
  };
  return {key, false, c->allowed, read, show, c->keys};
}
template <typename S>
Field<S> required(Field<S> f) {
  f.required = true;
  return f;
}

// Unambiguous in a longer text: "3:lan".
std::string show_text(const std::string& text);
void report_unknown_key(const Input& map, const sys::YamlEntry& entry,
                        const std::vector<std::string>& known);
void report_duplicate_key(const Input& map, const sys::YamlEntry& entry);
// Which is closest to `word` by typing mistakes; empty when none is close.
std::string nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace hotpair::config
