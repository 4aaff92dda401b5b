#include "agent/daemon/start_up.hpp"

#include <cerrno>
#include <cstdio>

#include <sys/stat.h>
#include <unistd.h>

#include "agent/daemon/node_config.hpp"
#include "agent/daemon/password_rotation.hpp"
#include "platform/linux/state_file.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

Failure<StartError> refuse(std::string message, int exit_status = kExitFailed) {
  return fail(StartError{exit_status, {std::move(message)}});
}

// One on a read-only file system will do: what cannot be written is an alarm as long as it lasts,
// and a pair without a primary would be worse.
Status ensure_directory(const std::string& path, const char* option, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    return sys::fail_errno("cannot create " + path + " (" + option + ")", errno);
  if (::access(path.c_str(), W_OK | X_OK) != 0 && errno != EROFS)
    return fail_with(path + " (" + option + ") is not writable: " + sys::errno_text(errno) +
                     "; run hotpaird as root or 'chown' it");
  return Ok{};
}

History read_history(const std::string& state_dir) {
  constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;
  const auto text = sys::read_state_file(state_dir + "/" + kHistoryFile, kMaxBytes);
  return text && text->has_value() ? History::from_text(**text) : History();
}

}  // namespace

std::vector<std::string> problem_texts(const config::ConfigProblems& problems) {
  std::vector<std::string> texts;
  for (const auto& problem : problems) texts.push_back(problem.text());
  return texts;
}

Result<Prepared, StartError> prepare(const Options& options) {
  auto config = config::load_config(options.config_dir);
  if (!config) return fail(StartError{kExitConfiguration, problem_texts(config.error())});
  if (auto made = ensure_directory(options.run_dir, "--run-dir", 0755); !made)
    return refuse(made.error().message);
  auto lock = InstanceLock::take(options.run_dir);
  if (!lock) return refuse(lock.error().message);
  if (auto made = ensure_directory(options.state_dir, "--state-dir", 0750); !made)
    return refuse(made.error().message);
  auto state = read_state(options.state_dir);
  if (!state) return refuse(state.error().message);
  auto passwords = config::load_passwords(config->cluster);
  if (!passwords) return refuse(passwords.error().message, kExitConfiguration);
  auto cipher = PasswordCipher::create(*passwords);
  if (!cipher) return refuse(cipher.error().message);
  return Prepared{options,
                  std::move(config).value(),
                  std::move(cipher).value(),
                  *state,
                  read_history(options.state_dir),
                  std::move(lock).value(),
                  digest_of(*passwords),
                  read_password_use(options.state_dir)};
}

int check_config(const Options& options) {
  const auto config = config::load_config(options.config_dir);
  std::vector<std::string> problems;
  if (!config) {
    problems = problem_texts(config.error());
  } else if (const auto plan = make_plan(*config, [](const auto&) { return false; }); !plan) {
    problems.push_back(plan.error().message);
  }
  for (const auto& problem : problems) std::fprintf(stderr, "%s\n", problem.c_str());
  if (!problems.empty()) return kExitConfiguration;
  std::puts("configuration is good");
  return kExitGood;
}

}  // namespace hotpair::daemon
