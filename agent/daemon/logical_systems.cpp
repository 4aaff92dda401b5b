#include "agent/daemon/logical_systems.hpp"

#include <algorithm>

#include "agent/daemon/partition_json.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/message_stream.hpp"
#include "platform/linux/netlink_link.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;
using Outcome = sys::MessageStream::Outcome;

constexpr std::uint8_t kMine = 1, kYours = 2;
constexpr std::size_t kMaxMessage = 1u << 20;
constexpr Duration kPatience = 5s, kLookEvery = 2s;

json state_json(const agent::Partition& partition) {
  const auto missing = agent::lacks(partition);
  return {{"state", missing.empty() ? "complete" : "incomplete"}, {"lacks", missing}};
}

std::optional<std::vector<agent::Partition>> read_list(const sys::Message& message) {
  return partitions_from(json::parse(message.text(), nullptr, false));
}

}  // namespace

LogicalSystems::LogicalSystems(std::shared_ptr<PeerLink> link, sys::EventLoop& loop,
                               Compared compared, Checksums checksums, Log log)
    : link_(std::move(link)), loop_(loop), compared_(std::move(compared)), log_(std::move(log)) {
  shared_->checksums = std::move(checksums);
}

LogicalSystems::~LogicalSystems() {
  link_->serve_with(PeerService::partitions, {});
  stopping_ = true;
  if (thread_) thread_->end();
}

void LogicalSystems::start() {
  auto thread = sys::LoopThread::start("logical-systems");
  if (!thread) return log_.warning("logical-system-incomplete", thread.error().message);
  thread_ = std::move(thread).value();
}

void LogicalSystems::configure(const config::Config& config, const NodePlan&) {
  std::vector<agent::Partition> wanted;
  std::map<std::string, std::string> devices;
  std::map<std::string, std::vector<std::string>> paths;
  for (const auto& system : config.cluster.logical_systems) {
    agent::Partition& added = wanted.emplace_back();
    added.name = system.name;
    added.vrf = system.vrf;
    added.zone = system.conntrack_zone.value_or(0);
    if (!system.config_paths.empty()) paths[system.name] = system.config_paths;
    if (!system.vrf.empty()) devices[system.vrf] = config.node.device(system.vrf);
    for (const auto& name : system.interfaces) {
      added.interfaces.push_back({name, false, false});
      devices[name] = config.node.device(name);
    }
  }
  enabled_ = !wanted.empty();
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->wanted = wanted;
    shared_->devices = devices;
    shared_->paths = paths;
    if (!enabled_) shared_->own.clear();
  }
  link_->serve_with(PeerService::partitions, [shared = shared_](auto socket, int) {
    serve_peer(*shared, std::move(socket));
  });
  if (enabled_ && !thread_) start();
  if (thread_) thread_->post([this] { turn(); });
}

void LogicalSystems::follow(const PairView& pair) {
  if (peer_alive_.exchange(pair.peer_alive) == pair.peer_alive) return;
  if (!pair.peer_alive) {
    const std::lock_guard lock(shared_->mutex);
    shared_->peer.reset();
  }
  if (thread_) thread_->post([this] { turn(); });
}

void LogicalSystems::look(Shared& shared) {
  const auto links = sys::LinkMonitor::open();
  if (!links) return;  // as it was known last
  const auto checksums = shared.checksums();
  const std::lock_guard lock(shared.mutex);
  shared.own = shared.wanted;
  const auto find = [&](const std::string& name) { return (*links)->find(shared.devices[name]); };
  for (auto& partition : shared.own) {
    if (const auto paths = shared.paths.find(partition.name); paths != shared.paths.end())
      for (const auto& path : paths->second)
        if (const auto sum = checksums.find(path); sum != checksums.end())
          partition.files[path] = sum->second;
    if (!partition.vrf.empty()) {
      const auto* vrf = find(partition.vrf);
      partition.vrf_present = vrf != nullptr && vrf->kind == "vrf";
    }
    for (auto& interface : partition.interfaces) {
      const auto* link = find(interface.name);
      interface.present = link != nullptr;
      interface.up = link != nullptr && link->carrier;
    }
  }
}

void LogicalSystems::serve_peer(Shared& shared, sys::FileDescriptor socket) {
  sys::MessageStream stream(std::move(socket), kMaxMessage);
  sys::Message message;
  if (stream.receive(message, kPatience) != Outcome::done || message.type != kMine) return;
  auto peers = read_list(message);
  if (!peers) return;
  look(shared);
  json own;
  {
    const std::lock_guard lock(shared.mutex);
    shared.peer = std::move(peers);
    own = to_json(shared.own);
  }
  (void)stream.send(kYours, std::string_view(own.dump()), kPatience);
}

void LogicalSystems::ask() {
  auto socket = link_->dial(PeerService::partitions);
  if (!socket) return;  // the status says that the peer has not told
  sys::MessageStream stream(std::move(socket).value(), kMaxMessage);
  std::string own;
  {
    const std::lock_guard lock(shared_->mutex);
    own = to_json(shared_->own).dump();
  }
  sys::Message answer;
  if (stream.send(kMine, std::string_view(own), kPatience) != Outcome::done ||
      stream.receive(answer, kPatience) != Outcome::done || answer.type != kYours)
    return;
  auto peers = read_list(answer);
  const std::lock_guard lock(shared_->mutex);
  if (peers && peer_alive_) shared_->peer = std::move(peers);
}

void LogicalSystems::turn() {
  thread_->loop().cancel(timer_);
  if (stopping_) return;
  if (!enabled_) return compare();
  look(*shared_);
  if (peer_alive_) ask();
  compare();
  say();
  timer_ = thread_->loop().call_at(sys::now() + kLookEvery, [this] { turn(); });
}

void LogicalSystems::compare() {
  std::pair<std::string, std::string> found;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->still_differs.clear();
    auto differs = agent::differing_files(shared_->own, enabled_ ? shared_->peer : std::nullopt);
    for (const auto& sentence : differs)
      if (std::ranges::count(shared_->differs, sentence) != 0)
        shared_->still_differs.push_back(sentence);
    shared_->differs = std::move(differs);
    if (enabled_ && shared_->peer)
      found = {agent::lacking(shared_->own, *shared_->peer),
               agent::lacking(*shared_->peer, shared_->own)};
  }
  if (std::exchange(told_, found) == found) return;
  agent::PartitionsCompared event;
  event.lacking_here = found.first;
  event.lacking_there = found.second;
  loop_.post([compared = compared_, event] { compared(event); });
}

void LogicalSystems::say() {
  const auto alarms = warnings();
  for (const auto& alarm : alarms)
    if (std::find(said_.begin(), said_.end(), alarm) == said_.end())
      log_.warning("logical-system-incomplete", alarm);
  said_ = alarms;
}

std::vector<std::string> LogicalSystems::warnings() const {
  const std::lock_guard lock(shared_->mutex);
  auto alarms = agent::partition_alarms(shared_->own, shared_->peer);
  alarms.insert(alarms.end(), shared_->still_differs.begin(), shared_->still_differs.end());
  return alarms;
}

void LogicalSystems::add_status(json& status) const {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->own.empty()) return;
  json list = to_json(shared_->own);
  for (std::size_t i = 0; i < shared_->own.size(); ++i) {
    list[i].update(state_json(shared_->own[i]));
    list[i]["peer"] = nullptr;
    if (!shared_->peer) continue;
    for (const auto& theirs : *shared_->peer)
      if (theirs.name == shared_->own[i].name) {
        list[i]["peer"] = state_json(theirs);
        if (!theirs.files.empty()) list[i]["peer"]["files"] = theirs.files;
      }
  }
  status["logical_systems"] = std::move(list);
}

}  // namespace hotpair::daemon
