// Everything that can be wrong before hotpaird becomes part of a pair, found in an order that gives
// the most useful message: the configuration first, then directories, the password, earlier state.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/daemon/agent_state.hpp"
#include "agent/daemon/cipher.hpp"
#include "agent/daemon/history.hpp"
#include "agent/daemon/instance_lock.hpp"
#include "agent/daemon/options.hpp"
#include "agent/daemon/reload.hpp"
#include "platform/config/config.hpp"

namespace hotpair::daemon {

constexpr int kExitGood = 0, kExitFailed = 1, kExitConfiguration = 2;

struct Prepared {
  Options options;
  config::Config config;
  std::unique_ptr<PasswordCipher> cipher;
  agent::PersistedState persisted;
  History history;
  InstanceLock lock;
  PasswordDigest password_digest{};
  agent::PasswordUse password_use{};  // as remembered from the last run
};

struct StartError {
  int exit_status = kExitFailed;
  std::vector<std::string> messages;
};

Result<Prepared, StartError> prepare(const Options& options);

// Each problem as "file:line: key: found ..., allowed ...".
std::vector<std::string> problem_texts(const config::ConfigProblems& problems);

// --check-config: prints, returns the exit status.
int check_config(const Options& options);

// --withdraw: removes every floating address, placeholder and lingering route of this configuration
// and of the one that ran last. Returns the exit status. Refuses while hotpaird runs.
int withdraw_all(const Options& options);

// What --withdraw needs when the configuration has become unreadable: written at start and reload.
Status note_addresses(const std::string& run_dir, const config::Config& config);

}  // namespace hotpair::daemon
