// The fields of a type by name, once for all who go through them: the recording's codec, a node's
// snapshot, texts for people. A list binds every field of its type, so a field that was added to
// the type does not compile until it is in the list.
//
//   HOTPAIR_FIELDS(LinkChanged, interface, present, up, speed_mbps, full_speed_mbps);
//
// The names stand in recordings: renaming one makes older recordings lack it.
#pragma once

#include <string_view>

namespace hotpair::agent {

// each(f, value) calls f(name, field) for every field, in order. Classes whose fields are private
// declare it a friend.
template <typename T>
struct FieldsOf;

// word(value): how an enumerator is written; empty for a value that is none of them.
template <typename E>
struct WordsOf;

namespace detail {

constexpr std::string_view take_name(std::string_view& names) {
  const std::size_t comma = names.find(',');
  const std::string_view name = names.substr(0, comma);
  names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 2);
  return name;
}

template <typename F, typename... Fields>
void visit_named(F& f, std::string_view names, Fields&... fields) {
  (f(take_name(names), fields), ...);
}

}  // namespace detail
}  // namespace hotpair::agent

// Inside namespace hotpair::agent.
#define HOTPAIR_FIELDS(Type, ...)                        \
  template <>                                            \
  struct FieldsOf<Type> {                                \
    static void each(auto& f, auto& value) {             \
      auto& [__VA_ARGS__] = value;                       \
      detail::visit_named(f, #__VA_ARGS__, __VA_ARGS__); \
    }                                                    \
  }
