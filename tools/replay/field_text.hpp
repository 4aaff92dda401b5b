// Every field of an event or an action as name and words, flat: "health.uptime_s", "3600".
#pragma once

#include <string>
#include <vector>

#include "agent/core/field_codec.hpp"

namespace hotpair::replay {

using FieldTexts = std::vector<std::pair<std::string, std::string>>;

class FieldLister {
 public:
  template <typename T>
  void operator()(std::string_view name, const T& value) {
    const std::size_t length = path_.size();
    if (!path_.empty()) path_ += '.';
    path_ += name;
    put(value);
    path_.resize(length);
  }
  FieldTexts take() { return std::move(texts_); }

 private:
  void say(std::string text) { texts_.emplace_back(path_, std::move(text)); }

  void put(bool value) { say(value ? "yes" : "no"); }
  template <std::integral T>
  void put(T value) {
    say(std::to_string(value));
  }
  template <agent::Enumeration T>
  void put(T value) {
    say(std::string(agent::WordsOf<T>::word(value)));
  }
  void put(Duration value);
  void put(Instant value);
  void put(agent::Epoch value) { say(std::to_string(value.number)); }
  template <std::size_t N>
  void put(const agent::ShortText<N>& text) {
    say(std::string(text.view()));
  }
  template <typename T>
  void put(const std::optional<T>& value) {
    value ? put(*value) : say("none");
  }
  template <std::size_t N>
  void put(const std::array<std::uint8_t, N>& bytes);
  template <typename T, std::size_t N>
  void put(const StaticVector<T, N>& items) {
    std::size_t i = 0;
    for (const T& item : items) (*this)(std::to_string(i++), item);
  }
  template <agent::Listed T>
  void put(const T& value) {
    agent::FieldsOf<T>::each(*this, value);
  }

  std::string path_;
  FieldTexts texts_;
};

inline void FieldLister::put(Duration value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f ms", to_seconds(value) * 1000);
  say(text);
}

inline void FieldLister::put(Instant value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f s", to_seconds(value.time_since_epoch()));
  say(text);
}

template <std::size_t N>
void FieldLister::put(const std::array<std::uint8_t, N>& bytes) {
  std::string text;
  char digits[4];
  for (const std::uint8_t byte : bytes) {
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  say(text);
}

template <typename T>
FieldTexts fields_of(const T& value) {
  FieldLister lister;
  if constexpr (agent::Listed<T>) agent::FieldsOf<T>::each(lister, value);
  return lister.take();
}

}  // namespace hotpair::replay
