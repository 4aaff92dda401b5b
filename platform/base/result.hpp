// Result<T, E>: a value or the reason there is none. Operating errors are values that the caller
// must look at; they never travel as exceptions across a folder boundary.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "platform/base/assert.hpp"

namespace hotpair {

// An error for people: one sentence that names what failed, where, and what would mend it.
struct Error {
  std::string message;
};

template <typename E>
struct Failure {
  E reason;
};

template <typename E>
Failure<std::decay_t<E>> fail(E&& reason) {
  return {std::forward<E>(reason)};
}
inline Failure<Error> fail_with(std::string message) {
  return {Error{std::move(message)}};
}

struct Ok {};

template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  template <typename F>
  Result(Failure<F> failure)  // NOLINT: implicit by design
      : state_(std::in_place_index<1>, std::move(failure.reason)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    HOTPAIR_ASSERT(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    HOTPAIR_ASSERT(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    HOTPAIR_ASSERT(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const E& error() const {
    HOTPAIR_ASSERT(!ok());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, E> state_;
};

using Status = Result<Ok, Error>;

}  // namespace hotpair
