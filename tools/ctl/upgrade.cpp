// `hotpair upgrade`: both nodes, one after the other, with every connection kept. What is done next
// is decided by upgrade/upgrade.hpp; here are its clock, its hands and its memory.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "agent/daemon/control_schema.hpp"
#include "platform/config/values.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/state_file.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/upgrade/run_json.hpp"
#include "tools/ctl/upgrade/scripts.hpp"
#include "tools/ctl/upgrade/show.hpp"
#include "tools/ctl/upgrade/worker.hpp"

namespace hotpair::ctl {
namespace {

using namespace upgrade;

constexpr Duration kLookEvery = 250ms;
constexpr std::size_t kMostOfARun = 256 * 1024;

struct Options {
  std::string command, state_dir = "/var/lib/hotpair";
  std::string command_wait, wait, order_wait, settle;
  bool dry_run = false, resume = false, done = false, status = false, abort = false;
};
Options options;

int signal_pipe[2] = {-1, -1};

void note_signal(int number) {
  const auto byte = static_cast<unsigned char>(number);
  (void)!::write(signal_pipe[1], &byte, 1);
}

Exit complain(const Context& context, const std::string& why) {
  (void)accepted(context, {{"ok", false}, {"error", why}});
  return Exit::refused;
}

std::string folder() {
  return options.state_dir + "/upgrade";
}

// Held by who drives a run of this node, for as long as he lives.
struct Lock {
  sys::FileDescriptor held;
  bool elsewhere = false;
};

// `only_ask`: who asks must never be in the way of who drives.
Lock look_at_lock(bool only_ask) {
  Lock lock;
  const std::string path = folder() + "/driver.lock";
  lock.held.reset(
      ::open(path.c_str(), only_ask ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.held) return lock;
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (only_ask) {
    lock.elsewhere = ::fcntl(lock.held.get(), F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
  } else if (::fcntl(lock.held.get(), F_OFD_SETLK, &whole) != 0) {
    lock.elsewhere = errno == EAGAIN || errno == EACCES;
    lock.held.reset();
  }
  return lock;
}

Result<std::optional<Run>> stored_run() {
  const std::string path = folder() + "/run.json";
  const auto content = sys::read_state_file(path, kMostOfARun);
  if (!content) return fail(content.error());
  if (!*content) return std::optional<Run>();
  auto run = run_from(**content);
  if (!run) return fail_with(path + ": " + run.error().message);
  return std::optional<Run>(std::move(run).value());
}

// "10m" and the like over what `limit` was; false: it is no duration, which was said.
bool set_limit(const char* flag, const std::string& value, Duration& limit) {
  if (value.empty()) return true;
  const auto parsed = config::parse_duration(value);
  if (parsed && *parsed >= Duration::zero() && *parsed <= 240h) {
    limit = *parsed;
    return true;
  }
  std::fprintf(stderr, "hotpair: %s %s: a duration from 0s to 240h, such as 90s, 10m, 2h\n", flag,
               value.c_str());
  return false;
}

bool set_limits(Limits& limits) {
  return set_limit("--command-wait", options.command_wait, limits.command) &&
         set_limit("--wait", options.wait, limits.comeback) &&
         set_limit("--order-wait", options.order_wait, limits.order) &&
         set_limit("--settle", options.settle, limits.settle);
}

PairSeen look(const Context& context) {
  const auto answer = context.try_ask(Daemon::agent, {{"command", control::command::kStatus}}, 2s);
  if (!answer) return {std::nullopt, "hotpaird is not reachable: " + answer.error().message};
  PairSeen seen{view_of(*answer), ""};
  if (!seen.pair) seen.why = "hotpaird gave an answer that this version does not understand";
  return seen;
}

class Driver {
 public:
  Driver(const Context& context, Upgrade upgrade)
      : context_(context),
        upgrade_(std::move(upgrade)),
        worker_(std::filesystem::absolute(context.run_dir), options.state_dir,
                upgrade_.run().driver),
        show_(context.style, context.json, ::isatty(STDOUT_FILENO) != 0, options.state_dir) {}

  Exit run() {
    if (::pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return Exit::refused;
    struct sigaction action {};
    action.sa_handler = note_signal;
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    show_.begins(upgrade_.run());
    while (!outcome_) turn();
    show_.end(upgrade_, *outcome_, standing(seen_.pair));
    switch (*outcome_) {
      case Outcome::finished:
        return upgrade_.incomplete() ? Exit::refused : Exit::good;
      case Outcome::unreachable:
        return Exit::unreachable;
      default:
        return Exit::refused;
    }
  }

 private:
  void turn() {
    if (sys::now() >= look_at_) {
      seen_ = look(context_);
      look_at_ = sys::now() + kLookEvery;
      feed(seen_);
      show_.progress(upgrade_);
    }
    std::vector<pollfd> waited{{signal_pipe[0], POLLIN, 0}};
    worker_.add_waited(waited);
    (void)::poll(waited.data(), waited.size(), static_cast<int>(to_ms(kLookEvery)) / 2);
    unsigned char number = 0;
    if (::read(signal_pipe[0], &number, 1) == 1) feed(Interrupted{});
    for (const Event& event : worker_.pump(sys::now())) feed(event);
  }

  void feed(const Event& event) {
    Actions actions;
    upgrade_.step(sys::now(), event, actions);
    for (const Action& action : actions)
      std::visit([this](const auto& what) { carry_out(what); }, action);
  }

  void carry_out(const Task& task) { worker_.begin(task, upgrade_.run(), sys::now()); }
  void carry_out(const Drop&) { worker_.drop(); }
  void carry_out(const Tell& tell) { show_.step(upgrade_, tell.index); }
  void carry_out(const End& end) { outcome_ = end.outcome; }
  // What was refused at the check has not begun.
  void carry_out(const Save&) {
    const Run& run = upgrade_.run();
    const Step& first = run.steps.empty() ? Step{} : run.steps.front();
    if (first.kind == StepKind::check && first.state != StepState::done) return;
    const auto written = sys::write_state_file(
        folder() + "/run.json", to_json(run).dump(1, ' ', false, Json::error_handler_t::replace));
    if (!written) std::fprintf(stderr, "hotpair: %s\n", written.error().message.c_str());
  }

  const Context& context_;
  Upgrade upgrade_;
  Worker worker_;
  Show show_;
  PairSeen seen_;
  Instant look_at_{};
  std::optional<Outcome> outcome_;
};

Run new_run(const PairView& pair) {
  Run run;
  const std::string time = sys::wall_clock_text();
  for (const char c : time.substr(0, 19))
    if (c >= '0' && c <= '9') run.id += c;
  run.id += "-" + std::to_string(pair.self.chassis);
  run.began = time;
  run.command = options.command;
  run.driver = pair.self.chassis;
  for (const NodeView* node : {&pair.self, &pair.peer})
    run.before_of(node->chassis) = {node->name, node->version, node->protocol_highest};
  const int primary = pair.self.role == "primary" ? run.driver : other(run.driver);
  run.steps = plan(other(primary), primary);
  return run;
}

std::string where(const Run& run) {
  const std::size_t index = run.current();
  if (index >= run.steps.size()) return "";
  return " at step " + std::to_string(index + 1) + " of " + std::to_string(run.steps.size()) +
         " (" + title(run, run.steps[index]) + ")";
}

bool over(const std::optional<Run>& run) {
  return !run || run->state == RunState::finished || run->state == RunState::aborted;
}

Exit begin(const Context& context, const std::optional<Run>& stored) {
  const PairSeen seen = look(context);
  if (!seen.pair) {
    complain(context, seen.why + "; 'systemctl start hotpaird'");
    return Exit::unreachable;
  }
  Run run = new_run(*seen.pair);
  if (!set_limits(run.limits)) return Exit::usage;
  std::string refused = why_not_to_begin(*seen.pair);
  if (!over(stored))
    refused = "an upgrade that was begun here stopped" + where(*stored) +
              ": 'hotpair upgrade --resume' goes on, '--abort' gives it up";
  if (options.dry_run) {
    Show(context.style, context.json, false, options.state_dir).plan(run, refused);
    return refused.empty() ? Exit::good : Exit::refused;
  }
  if (!refused.empty()) return complain(context, refused);
  return Driver(context, Upgrade(std::move(run))).run();
}

Exit resume(const Context& context, std::optional<Run> stored) {
  if (over(stored)) return complain(context, "no upgrade was begun on this node that could go on");
  if (stored->state == RunState::aborting)
    return complain(context, "this upgrade is being given up: 'hotpair upgrade --abort' again");
  if (!set_limits(stored->limits)) return Exit::usage;
  return Driver(context, Upgrade(std::move(*stored), options.done)).run();
}

// The word of another node's upgrade, for when that node does not come back to end it.
Exit forget_claim(const Context& context) {
  const std::string path = folder() + "/claim";
  if (::access(path.c_str(), F_OK) != 0)
    return complain(context, "no upgrade runs that this node knows of");
  if (::unlink(path.c_str()) != 0) return complain(context, "cannot remove " + path);
  std::printf("%s\n", context.json ? R"({"ok":true})"
                                   : "The upgrade that the other node began is forgotten here.");
  return Exit::good;
}

Exit abort_run(const Context& context, std::optional<Run> stored) {
  if (over(stored)) return forget_claim(context);
  if (stored->state != RunState::aborting) {
    stored->steps = plan_of_abort(*stored);
    stored->state = RunState::aborting;
    stored->limits.order = 15s;
  }
  return Driver(context, Upgrade(std::move(*stored))).run();
}

Exit say_status(const Context& context, const std::optional<Run>& stored, bool driven) {
  if (!stored) {
    if (!context.print_json({{"ok", true}, {"state", "none"}}))
      std::printf("No upgrade was begun on this node.\n");
    return Exit::good;
  }
  Show(context.style, context.json, false, options.state_dir).status(*stored, driven);
  return Exit::good;
}

}  // namespace

void add_upgrade_options(CLI::App& app) {
  app.add_option("--command", options.command,
                 "what to run on each node, through sh, as root; it may restart the box");
  app.add_flag("--dry-run", options.dry_run, "only print the plan, and whether it could begin");
  app.add_flag("--resume", options.resume, "go on where an upgrade that was begun here stopped");
  app.add_flag("--done", options.done,
               "with --resume: the command at which it stopped was seen to, it is not run again");
  app.add_flag("--status", options.status, "how far the upgrade that was begun here has come");
  app.add_flag("--abort", options.abort,
               "give it up: end a command that still runs, end the maintenance; undoes nothing");
  app.add_option("--wait", options.wait,
                 "how long a node may take to be back and in sync: 10m unless said");
  app.add_option("--command-wait", options.command_wait,
                 "how long the command may take: 30m unless said");
  app.add_option("--order-wait", options.order_wait,
                 "how long the pair may take to move the role: 2m unless said");
  app.add_option("--settle", options.settle,
                 "how long a node must have been back and in sync without a break: 3s unless said");
  app.add_option("--state-dir", options.state_dir, "where this node keeps what outlives a restart")
      ->envname("HOTPAIR_STATE_DIR")
      ->capture_default_str();
}

Exit run_upgrade(Context& context) {
  const int modes = (options.command.empty() ? 0 : 1) + (options.resume ? 1 : 0) +
                    (options.status ? 1 : 0) + (options.abort ? 1 : 0);
  if (modes != 1 || (options.done && !options.resume) ||
      (options.dry_run && options.command.empty())) {
    std::fprintf(stderr,
                 "hotpair: one of: hotpair upgrade --command COMMAND [--dry-run], "
                 "hotpair upgrade --resume [--done], --status, --abort\n");
    return Exit::usage;
  }
  options.state_dir = std::filesystem::absolute(options.state_dir);
  const bool reads = options.status || options.dry_run;
  if (!reads) {
    if (::geteuid() != 0) return complain(context, "an upgrade is root's to begin and to end");
    std::error_code ignored;
    std::filesystem::create_directories(folder(), ignored);
  }
  const Lock lock = look_at_lock(reads);
  auto stored = stored_run();
  if (!stored) return complain(context, stored.error().message);
  if (options.status) return say_status(context, *stored, lock.elsewhere);
  if (options.dry_run) return begin(context, *stored);
  if (lock.elsewhere)
    return complain(
        context,
        "an upgrade is being driven by another 'hotpair upgrade' right now: see 'hotpair "
        "upgrade --status'");
  if (!lock.held) return complain(context, "cannot write to " + folder());
  if (options.resume) return resume(context, std::move(*stored));
  if (options.abort) return abort_run(context, std::move(*stored));
  return begin(context, *stored);
}

}  // namespace hotpair::ctl
