#include "tests/sim/toy_cipher.hpp"

namespace hotpair::simulation {
namespace {

std::uint64_t mix(std::uint64_t state, std::uint64_t value) {
  state = (state ^ value) * 0x9e3779b97f4a7c15ULL;
  return state ^ (state >> 29);
}

// Of either byte order: what is sealed never leaves this process.
std::uint64_t word_at(Bytes bytes, std::size_t at, std::size_t size) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, size);
  return word;
}

std::uint64_t digest(std::uint64_t state, Bytes bytes) {
  // A sum, whose terms do not wait for one another; words are told apart by their place.
  std::uint64_t sum = bytes.size(), place = 0xff51afd7ed558ccdULL;
  std::size_t i = 0;
  const auto add = [&](std::uint64_t word) {
    sum += (word ^ place) * 0x9e3779b97f4a7c15ULL;
    place += 0xff51afd7ed558ccdULL;
  };
  for (; i + 8 <= bytes.size(); i += 8) add(word_at(bytes, i, 8));
  if (i < bytes.size()) add(word_at(bytes, i, bytes.size() - i));
  return mix(state, sum);
}

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::array<std::uint64_t, 2> tag(const agent::Key& key, const agent::Nonce& nonce, Bytes header,
                                 Bytes body) {
  const std::uint64_t a = digest(digest(digest(digest(1, key), nonce), header), body);
  return {a, mix(a, 2)};
}

}  // namespace

agent::Key ToyCipher::derive(int which, const agent::Salt& sender_salt,
                             const agent::Salt& echoed_salt, agent::ChassisId sender,
                             std::string_view purpose) {
  ++derivations_;
  std::uint64_t state = digest(3, bytes_of(which == 0 ? password_ : next_password_));
  state = digest(digest(state, sender_salt), echoed_salt);
  state = mix(digest(state, bytes_of(purpose)), static_cast<std::uint64_t>(sender));
  agent::Key key{};
  for (std::size_t i = 0; i < key.size(); i += 8) store_be(&key[i], state = mix(state, i));
  return key;
}

agent::PasswordId ToyCipher::password_id(int which) const {
  const std::string& password = which == 0 ? password_ : next_password_;
  return password.empty() ? agent::kNoPassword : digest(5, bytes_of(password)) | 1;
}

void ToyCipher::seal(const agent::Key& key, const agent::Nonce& nonce, Bytes header, Bytes body,
                     MutableBytes out) {
  HOTPAIR_ASSERT(out.size() == body.size() + agent::kTagSize);
  std::copy(body.begin(), body.end(), out.begin());
  const auto t = tag(key, nonce, header, body);
  store_be(&out[body.size()], t[0]);
  store_be(&out[body.size() + 8], t[1]);
}

bool ToyCipher::open(const agent::Key& key, const agent::Nonce& nonce, Bytes header, Bytes sealed,
                     MutableBytes out) {
  const Bytes body = sealed.first(sealed.size() - agent::kTagSize);
  const auto t = tag(key, nonce, header, body);
  const std::uint8_t* found = sealed.data() + body.size();
  if (load_be<std::uint64_t>(found) != t[0] || load_be<std::uint64_t>(found + 8) != t[1])
    return false;
  std::copy(body.begin(), body.end(), out.begin());
  return true;
}

agent::Salt ToyCipher::random_salt() {
  agent::Salt salt{};
  store_be(&salt[0], rng_.next());
  store_be(&salt[8], rng_.next());
  return salt;
}

}  // namespace hotpair::simulation
