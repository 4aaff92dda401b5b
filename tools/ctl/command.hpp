// What a command of `hotpair` is: a row of the table in main.cpp.
//
// Exit statuses: 0 good, 1 refused or different, 2 wrong usage, 3 the daemon is not reachable.
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <sys/types.h>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "tools/ctl/style.hpp"

namespace hotpair::ctl {

using Json = nlohmann::json;

enum class Exit : int { good = 0, refused = 1, usage = 2, unreachable = 3 };

enum class Daemon : std::uint8_t { agent, dataplane };

// What every command gets: where the daemons are and how to speak.
struct Context {
  std::string run_dir = "/run/hotpair";
  bool json = false;
  Style style;
  const CLI::App* app = nullptr;  // the whole command line

  // One request and its answer; nothing when the daemon is not reachable or does not answer in
  // time, which was then said on standard error with the command that would mend it.
  std::optional<Json> ask(Daemon daemon, const Json& request, Duration timeout = 5s) const;
  // The same without a word, the error as a value; for what is shown beside the main answer.
  Result<Json> try_ask(Daemon daemon, const Json& request, Duration timeout = 5s) const;
  // The words of ask() for a daemon that is not there.
  static void say_unreachable(Daemon daemon, const std::string& why);
  // Whose socket it is, when somebody listens there.
  std::optional<pid_t> pid_of(Daemon daemon) const;
  // Prints the answer as it is (--json) and true; or false when text is wanted.
  bool print_json(const Json& answer) const;
};

struct Command {
  const char* name;
  const char* help;                    // one line
  const char* examples;                // shown below the options
  void (*add_options)(CLI::App& app);  // may be null
  Exit (*run)(Context& context);
};

// The answer's "ok"; when it is a refusal its sentence was printed.
bool accepted(const Context& context, const Json& answer);

Exit run_status(Context& context);
Exit run_why(Context& context);
Exit run_history(Context& context);
Exit run_sessions(Context& context);
Exit run_verify(Context& context);
Exit run_failover(Context& context);
Exit run_force(Context& context);
Exit run_maintenance(Context& context);
Exit run_reload(Context& context);
Exit run_doctor(Context& context);
Exit run_what_if(Context& context);
Exit rehearse_failover(const Context& context, bool by_force);
Exit run_password(Context& context);
Exit run_peer(Context& context);
Exit run_config(Context& context);
Exit run_upgrade(Context& context);
Exit run_top(Context& context);
Exit run_explain(Context& context);
Exit run_keys(Context& context);
Exit run_setup(Context& context);
Exit run_migrate(Context& context);
Exit run_completion(Context& context);
Exit run_version(Context& context);
void add_history_options(CLI::App& app);
void add_sessions_options(CLI::App& app);
void add_failover_options(CLI::App& app);
void add_force_options(CLI::App& app);
void add_maintenance_options(CLI::App& app);
void add_doctor_options(CLI::App& app);
void add_what_if_options(CLI::App& app);
void add_password_options(CLI::App& app);
void add_peer_options(CLI::App& app);
void add_config_options(CLI::App& app);
void add_upgrade_options(CLI::App& app);
void add_top_options(CLI::App& app);
void add_explain_options(CLI::App& app);
void add_keys_options(CLI::App& app);
void add_setup_options(CLI::App& app);
void add_migrate_options(CLI::App& app);

}  // namespace hotpair::ctl
