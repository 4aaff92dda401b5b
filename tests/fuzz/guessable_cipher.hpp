// A cipher whose tag is zeros, so that the fuzzer reaches what lies behind it; it still binds
// header and key.
#pragma once

#include <algorithm>
#include <cstdint>

#include "agent/core/association.hpp"

namespace hotpair::fuzz {

class GuessableCipher final : public agent::FrameCipher {
 public:
  agent::Key derive(int which, const agent::Salt& sender, const agent::Salt& echoed,
                    agent::ChassisId id, std::string_view) override {
    agent::Key key{};
    for (std::size_t i = 0; i < 16; ++i) key[i] = static_cast<std::uint8_t>(sender[i] ^ echoed[i]);
    key[16] = static_cast<std::uint8_t>(id);
    key[17] = static_cast<std::uint8_t>(which);
    return key;
  }
  agent::PasswordId password_id(int which) const override {
    return static_cast<agent::PasswordId>(which) + 1;
  }
  void seal(const agent::Key&, const agent::Nonce&, Bytes, Bytes body, MutableBytes out) override {
    std::copy(body.begin(), body.end(), out.begin());
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(body.size()), out.end(), std::uint8_t{0});
  }
  bool open(const agent::Key&, const agent::Nonce&, Bytes, Bytes sealed,
            MutableBytes out) override {
    const auto tag = sealed.last(agent::kTagSize);
    if (std::any_of(tag.begin(), tag.end(), [](std::uint8_t b) { return b != 0; })) return false;
    std::copy(sealed.begin(), sealed.end() - agent::kTagSize, out.begin());
    return true;
  }
  agent::Salt random_salt() override {
    agent::Salt salt{};
    salt[0] = ++salts_;
    return salt;
  }

 private:
  std::uint8_t salts_ = 0;
};

}  // namespace hotpair::fuzz
