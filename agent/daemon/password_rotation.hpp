// The passwords this node has loaded and the one it seals with: tells the peer, follows it, takes
// an operator's switch, and remembers the choice in <state-dir>/password.json across restarts.
// Which one is right is decided in agent/core/password_rotation.hpp. Never holds a password, only
// their ids. Main loop.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/core/password_rotation.hpp"
#include "agent/daemon/shared_association.hpp"
#include "agent/daemon/worker.hpp"
#include "platform/base/log.hpp"

namespace hotpair::daemon {

constexpr const char* kPasswordFile = "password.json";
constexpr Duration kSwitchTimeout = 3s;

using PasswordAnswered = std::function<void(const nlohmann::json&)>;

class PasswordRotation {
 public:
  struct Needs {
    sys::EventLoop& loop;
    Worker& disk;
    SharedAssociation& association;
    Log log;
    std::string state_file;
    std::function<void()> publish;  // says use() to the peer, at once
    std::function<bool()> peer_alive;
  };
  PasswordRotation(Needs needs, const agent::PasswordUse& remembered);
  ~PasswordRotation();

  const agent::PasswordUse& use() const { return use_; }
  // What the peer says of itself, after every accepted heartbeat.
  void heard(const agent::PasswordUse& peers);

  // A sentence when the peer, alive, would not be understood with these any more.
  std::optional<std::string> objection_to(const agent::LoadedPasswords& loaded) const;
  void loaded();  // the association has adopted other passwords

  // To the second line of the password file, or back to the first. Answered when the peer has
  // followed, or has not in kSwitchTimeout.
  void switch_over(bool back, PasswordAnswered answered);
  nlohmann::json to_json() const;

 private:
  void take(const agent::PasswordUse& use, const std::string& why);
  void finish(const nlohmann::json& reply);
  agent::PasswordUse heard_peer() const;  // unknown while it is not alive

  Needs needs_;
  agent::LoadedPasswords loaded_{};
  agent::PasswordUse use_, peers_;
  PasswordAnswered switching_;
  sys::TimerId timer_ = 0;
};

// For people: the id in hexadecimal; empty for none.
std::string password_name(agent::PasswordId id);
// What an operator does next, in one sentence; a function of what both nodes say.
std::string next_step(const agent::LoadedPasswords& loaded, const agent::PasswordUse& ours,
                      const agent::PasswordUse& peers);

std::string password_use_text(const agent::PasswordUse& use);
// Damaged or absent: nothing is remembered, and the first line is used until the peer tells more.
agent::PasswordUse read_password_use(const std::string& state_dir);

}  // namespace hotpair::daemon
