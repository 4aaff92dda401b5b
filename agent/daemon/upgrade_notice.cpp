#include "agent/daemon/upgrade_notice.hpp"

#include <ctime>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/daemon/json_message.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/state_file.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr Duration kLookEvery = 1s, kPatience = 2s;
// The peer is of a version that does not tell, or cannot be reached.
constexpr Duration kAskAgain = 30s;
constexpr std::uint8_t kNotice = 1;
constexpr std::size_t kMostOfARun = 256 * 1024, kMostOfAClaim = 4096;
constexpr const char *kGoOn = "'hotpair upgrade --resume' goes on, '--abort' gives it up",
                     *kFollow = "'hotpair upgrade --status' tells every step";

// The digits of a run's id are the time at which it began (UTC).
std::string time_of(const std::string& id) {
  const std::string d = id.substr(0, 14);
  if (d.size() < 14 || d.find_first_not_of("0123456789") != std::string::npos) return "";
  return d.substr(0, 4) + "-" + d.substr(4, 2) + "-" + d.substr(6, 2) + "T" + d.substr(8, 2) + ":" +
         d.substr(10, 2) + ":" + d.substr(12, 2) + "Z";
}

std::string spoken(time_t at) {
  std::tm utc{};
  ::gmtime_r(&at, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

json claimed(const std::string& claim) {
  std::istringstream in(claim);
  std::string id, driver;
  if (!(in >> id >> driver)) return nullptr;
  return {{"state", "elsewhere"},
          {"driver", driver},
          {"began", time_of(id)},
          {"next", "'hotpair upgrade --status' on " + driver + " tells how far it is; '--abort' " +
                       "here forgets it, where " + driver + " never comes back"}};
}

std::string driver_of(const json& run) {
  const auto nodes = run.find("nodes");
  const auto driver = run.find("driver");
  if (nodes == run.end() || !nodes->is_array() || nodes->size() != 2) return "";
  const json& node = (*nodes)[driver != run.end() && *driver == 2 ? 1 : 0];
  return node.is_object() ? word_of(node, "name") : "";
}

}  // namespace

json upgrade_json(const UpgradeFiles& files) {
  const json run = json::parse(files.run, nullptr, false);
  const std::string state = run.is_object() ? word_of(run, "state") : "";
  if (state != "running" && state != "stopped" && state != "aborting") return claimed(files.claim);
  const bool cut = state != "stopped" && !files.driven;
  const std::string next = word_of(run, "next");
  json notice = {
      {"state", cut ? "cut off" : state}, {"driver", driver_of(run)},
      {"began", word_of(run, "began")},   {"command", word_of(run, "command")},
      {"why", word_of(run, "why")},       {"next", !next.empty() ? next : cut ? kGoOn : kFollow}};
  const auto at = run.find("at");
  if (at == run.end() || !at->is_object()) return notice;
  for (const char* number : {"step", "of"})
    if (at->contains(number) && (*at)[number].is_number_unsigned()) notice[number] = (*at)[number];
  notice["title"] = word_of(*at, "title");
  notice["step_since"] = files.touched;
  return notice;
}

void add_drivers(json& notice, const json& drivers) {
  const std::string state = drivers.is_object() ? word_of(drivers, "state") : "";
  // Of another run than the one that is claimed here, if any.
  if (state.empty() || state == "elsewhere") return;
  notice["at_driver"] = state;
  for (const char* word : {"title", "step_since", "why"}) notice[word] = word_of(drivers, word);
  for (const char* number : {"step", "of"})
    if (drivers.contains(number) && drivers[number].is_number_unsigned())
      notice[number] = drivers[number];
}

UpgradeNotice::~UpgradeNotice() {
  link_->serve_with(PeerService::upgrade, {});
  if (thread_) thread_->end();
}

void UpgradeNotice::configure(const config::Config&, const NodePlan&) {
  if (thread_) return;
  link_->serve_with(PeerService::upgrade, [shared = shared_](auto socket, int) {
    sys::MessageStream stream(std::move(socket), kMostOfARun);
    json found;
    {
      const std::lock_guard guard(shared->mutex);
      found = shared->found;
    }
    (void)send_json_message(stream, kNotice, found.is_object() ? found : json::object(), kPatience);
  });
  auto started = sys::LoopThread::start("upgrade-notice");
  if (!started) return log_.warning("upgrade-not-shown", started.error().message);
  thread_ = std::move(started).value();
  thread_->post([this] { look(); });
}

void UpgradeNotice::look() {
  UpgradeFiles files;
  const auto take = [&](const char* name, std::size_t most, std::string& into) {
    auto text = sys::read_state_file(folder_ + name, most);
    if (text && *text) into = std::move(**text);
  };
  take("/run.json", kMostOfARun, files.run);
  take("/claim", kMostOfAClaim, files.claim);
  struct stat facts {};
  if (!files.run.empty() && ::stat((folder_ + "/run.json").c_str(), &facts) == 0)
    files.touched = spoken(facts.st_mtim.tv_sec);
  const sys::FileDescriptor lock(
      ::open((folder_ + "/driver.lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct flock whole {};
  whole.l_type = F_WRLCK;
  files.driven = lock && ::fcntl(lock.get(), F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
  json found = upgrade_json(files);
  if (found.is_object() && word_of(found, "state") == "elsewhere") ask(found);
  {
    const std::lock_guard guard(shared_->mutex);
    shared_->found = std::move(found);
  }
  thread_->loop().call_at(sys::now() + kLookEvery, [this] { look(); });
}

void UpgradeNotice::ask(json& notice) {
  if (sys::now() < ask_again_) return;
  auto socket = link_->dial(PeerService::upgrade);
  if (!socket) {
    ask_again_ = sys::now() + kAskAgain;
    return;
  }
  sys::MessageStream stream(std::move(socket).value(), kMostOfARun);
  if (const auto drivers = receive_json_message(stream, kNotice, kPatience))
    add_drivers(notice, *drivers);
}

void UpgradeNotice::add_status(json& status) const {
  const std::lock_guard guard(shared_->mutex);
  if (shared_->found.is_object()) status["upgrade"] = shared_->found;
}

std::vector<std::string> UpgradeNotice::warnings() const {
  const std::lock_guard guard(shared_->mutex);
  const json& found = shared_->found;
  if (!found.is_object()) return {};
  const std::string state = word_of(found, "state"), why = word_of(found, "why");
  if (state != "stopped" && state != "cut off") return {};
  std::string text = "an upgrade that was begun here " +
                     std::string(state == "stopped" ? "stopped" : "was cut off");
  if (found.contains("step"))
    text += " at step " + std::to_string(found["step"].get<unsigned>()) + " of " +
            std::to_string(found.value("of", 0u)) + " (" + word_of(found, "title") + ")";
  return {text + (why.empty() ? "" : ": " + why) + "; " + word_of(found, "next")};
}

}  // namespace hotpair::daemon
