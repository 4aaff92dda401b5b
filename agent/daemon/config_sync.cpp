#include "agent/daemon/config_sync.hpp"

#include <array>

#include <poll.h>
#include <sys/eventfd.h>

#include "agent/daemon/control_schema.hpp"
#include "agent/daemon/json_message.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

// Editors and packages write several files in a row; one change set takes them all.
constexpr Duration kSettle = 100ms;
constexpr Duration kRetry = 2s;
constexpr Duration kIdle = 1h;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

}  // namespace

ConfigSync::ConfigSync(Needs needs)
    : needs_(std::move(needs)),
      engine_(std::make_shared<ConfigEngine>(
          [link = needs_.link] { return link->dial(PeerService::config); },
          needs_.state_dir + "/config-sync", needs_.log)),
      wake_(std::make_shared<sys::FileDescriptor>(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))) {
  thread_ = std::thread([this] { serve(); });
}

ConfigSync::~ConfigSync() {
  needs_.link->serve_with(PeerService::config, {});
  engine_->stop();
  stopping_ = true;
  ::eventfd_write(wake_->get(), 1);
  thread_.join();
}

void ConfigSync::configure(const config::Config& config, const NodePlan&) {
  engine_->set_rules(make_config_rules(config, needs_.config_dir));
  enabled_ = !config.cluster.config_sync.paths.empty();
  dirty_ = true;
  needs_.link->serve_with(PeerService::config, [engine = engine_, wake = wake_](auto socket, int) {
    engine->serve(std::move(socket));
    ::eventfd_write(wake->get(), 1);
  });
  ::eventfd_write(wake_->get(), 1);
}

void ConfigSync::follow(const PairView& pair) {
  const bool came = pair.peer_alive && !peer_alive_;
  const bool became = pair.is_primary() && !primary_;
  peer_alive_ = pair.peer_alive;
  primary_ = pair.is_primary();
  engine_->set_primary(pair.is_primary());
  if (!came && !became) return;
  dirty_ = true;
  ::eventfd_write(wake_->get(), 1);
}

void ConfigSync::serve() {
  sys::set_thread_name("config-sync");
  engine_->recover();
  while (!stopping_) {
    answer_waiting();
    const Instant now = sys::now();
    if (engine_->take_request()) dirty_ = true;
    if (enabled_ && now >= not_before_ && (dirty_ || now >= next_look_)) turn();
    wait(!enabled_ ? now + kIdle : dirty_ ? std::max(not_before_, now) : next_look_);
  }
}

void ConfigSync::wait(Instant until) {
  const Duration left = std::max<Duration>(until - sys::now(), Duration::zero());
  const timespec timeout{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
  std::array<pollfd, 2> waited{{{wake_->get(), POLLIN, 0}, {directories_.fd(), POLLIN, 0}}};
  if (::ppoll(waited.data(), waited.size(), &timeout, nullptr) <= 0) return;
  if (eventfd_t times = 0; waited[0].revents != 0) ::eventfd_read(wake_->get(), &times);
  if (waited[1].revents == 0) return;
  directories_.drain();
  if (!dirty_.exchange(true)) not_before_ = sys::now() + kSettle;
}

void ConfigSync::turn() {
  dirty_ = false;
  const Instant now = sys::now();
  next_look_ = now + engine_->rules().sync.rescan;
  engine_->render_own();
  const ConfigScan scan = engine_->look();
  watch(scan.manifest);
  const std::string checksum = engine_->state().checksum;
  const bool changed = std::exchange(seen_, checksum) != checksum;
  if (!peer_alive_) return;
  if (primary_) return begin_round();
  if (changed) (void)engine_->tell_peer_of_changes();
}

void ConfigSync::begin_round() {
  if (engine_->round(false)) return;
  // The same again would be refused again; that waits for a change or the next look.
  if (engine_->was_refused()) return;
  dirty_ = true;
  not_before_ = sys::now() + kRetry;
}

// The directories of everything that is or could be in scope.
void ConfigSync::watch(const agent::ConfigManifest& manifest) {
  std::set<std::string> directories;
  for (const auto& path : engine_->rules().scope.paths)
    directories.insert(agent::is_glob(path) ? agent::glob_root(path) : parent_of(path));
  for (const auto& [path, entry] : manifest)
    directories.insert(entry.kind == agent::ConfigEntry::Kind::directory ? path : parent_of(path));
  const bool whole = directories_.watch(directories);
  if (directories != watched_) {  // what happened before they were watched is seen now
    watched_ = directories;
    dirty_ = true;
    not_before_ = sys::now() + kSettle;
  }
  if (!whole && whole_watch_)
    needs_.log.warning("config-not-watched",
                       "not every directory of config_sync can be watched; raise "
                       "fs.inotify.max_user_watches; changes there wait for the rescan");
  whole_watch_ = whole;
}

void ConfigSync::answer_waiting() {
  std::vector<Question> questions;
  {
    const std::lock_guard lock(mutex_);
    questions.swap(questions_);
  }
  for (auto& question : questions)
    needs_.loop.post(
        [answered = question.answered, reply = answer_to(question.action)] { answered(reply); });
}

json ConfigSync::answer_to(const std::string& action) {
  if (action == "checksum") return engine_->compare();
  if (action == "diff") return engine_->differences();
  if (action == "facts") return engine_->facts();
  if (action == "push") return outcome_json(engine_->round(true), "the peer has this node's files");
  if (action == "pull")
    return outcome_json(engine_->ask_peer_to_push(), "this node has the peer's files");
  return {{"ok", false}, {"error", "one of checksum, diff, facts, push, pull"}};
}

bool ConfigSync::answer(const std::string& command, const json& request, const Answered& answered) {
  if (command != control::command::kConfig) return false;
  std::string action = word_of(request, "action");
  if (!enabled_ && action != "facts") {
    answered({{"ok", false}, {"error", "config_sync.paths in cluster.yaml is empty"}});
    return true;
  }
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back({std::move(action), answered});
  }
  ::eventfd_write(wake_->get(), 1);
  return true;
}

std::function<std::map<std::string, std::string>()> ConfigSync::parts() const {
  return [engine = engine_] { return engine->state().parts; };
}

void ConfigSync::add_status(json& status) const {
  if (!enabled_) return;
  const ConfigState state = engine_->state();
  status["config"] = {{"in_sync", state.known && state.in_sync && peer_alive_ ? 1 : 0},
                      {"known", state.known},
                      {"files", state.files},
                      {"bytes", state.bytes},
                      {"checksum", state.checksum},
                      {"error", state.error},
                      {"problems", state.problems},
                      {"changed_on_backup", state.kept},
                      {"conflicts", state.conflicts},
                      {"last_change", state.last_change},
                      {"changes", state.changes},
                      {"refused", state.refused}};
}

std::vector<std::string> ConfigSync::warnings() const {
  std::vector<std::string> list;
  if (!enabled_) return list;
  const ConfigState state = engine_->state();
  if (!state.error.empty() && peer_alive_)
    list.push_back("the configuration is not in sync: " + state.error);
  for (const auto& path : state.kept)
    list.push_back(path +
                   " was changed on the backup; 'hotpair config diff' shows how, 'hotpair "
                   "config push' on the primary puts it back, 'pull' takes it over");
  for (const auto& path : state.conflicts)
    list.push_back(path + " was changed on both nodes; the backup's version lies beside it as " +
                   path + std::string(agent::kBesideMark) + "conflict-*");
  for (const auto& problem : state.problems) list.push_back("not synchronised: " + problem);
  return list;
}

}  // namespace hotpair::daemon
