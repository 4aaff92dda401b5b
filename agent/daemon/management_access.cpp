#include "agent/daemon/management_access.hpp"

#include <unistd.h>

#include "agent/daemon/config_command.hpp"
#include "agent/daemon/tunnel.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/netlink_link.hpp"
#include "platform/linux/state_file.hpp"
#include "platform/linux/sysctl.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

// The table as it was loaded last; that it exists says that there may be a table.
constexpr const char* kRulesetFile = "/management.nft";
constexpr Duration kLoadTimeout = 5s, kRemoveTimeout = 1s;
// Whoever flushes our table loads the rest of his ruleset in the same go; let him.
constexpr Duration kSettle = 50ms, kRetry = 10s, kDeviceRetry = 100ms;
// The cluster network's device forwards nothing; with our table in force it may forward answers.
constexpr const char* kForwarding = "net/ipv4/conf/hotpair0/forwarding";

agent::ManagementPorts ports_of(const config::Config& config, const NodePlan& plan) {
  agent::ManagementPorts ports;
  ports.self = plan.node.self;
  ports.cluster_device = kClusterDevice;
  const auto& management = config.cluster.management;
  if (!management) return ports;
  ports.slot = static_cast<std::uint32_t>(management->slot);
  ports.services = management->ports;
  for (const auto& address : management->addresses)
    ports.addresses.push_back(
        {address.ipv6, sys::to_text(sys::IpAddress{address.ipv6, address.address})});
  if (!config.cluster.cluster_network.enabled) return ports;
  const auto address_of = [&](agent::ChassisId chassis) {
    const auto cluster =
        agent::cluster_address(static_cast<std::uint16_t>(config.cluster.group_id), chassis);
    sys::IpAddress ipv4;
    std::copy(cluster.ipv4.begin(), cluster.ipv4.end(), ipv4.bytes.begin());
    return sys::to_text(ipv4);
  };
  ports.own_ipv4 = address_of(plan.node.self);
  ports.peer_ipv4 = address_of(agent::other(plan.node.self));
  return ports;
}

// False: the device is not there yet, or is being set up, which ends with its being up.
bool let_answers_through() {
  const auto links = sys::LinkMonitor::open();
  if (!links) return false;
  const auto* device = (*links)->find(kClusterDevice);
  return device != nullptr && device->admin_up && sys::write_sysctl(kForwarding, "1").ok();
}

}  // namespace

ManagementAccess::ManagementAccess(std::string run_dir, Log log)
    : run_dir_(std::move(run_dir)), log_(std::move(log)) {
  auto thread = sys::LoopThread::start("management");
  if (thread)
    thread_ = std::move(thread).value();
  else
    log_.warning("management-ports-failed", thread.error().message);
}

ManagementAccess::~ManagementAccess() {
  stopping_ = true;
  if (thread_) thread_->end();
  if (Status removed = remove_management_access(run_dir_); !removed)
    log_.warning("management-ports-failed", removed.error().message);
}

void ManagementAccess::configure(const config::Config& config, const NodePlan& plan) {
  {
    const std::lock_guard lock(mutex_);
    ports_ = ports_of(config, plan);
    wanted_ = agent::management_ruleset(ports_);
  }
  if (thread_) thread_->post([this] { apply(); });
}

void ManagementAccess::apply() {
  std::string ruleset;
  bool to_peer = false;
  {
    const std::lock_guard lock(mutex_);
    ruleset = wanted_;
    to_peer = !ports_.peer_ipv4.empty();
  }
  thread_->loop().cancel(timer_);
  settling_ = false;
  const Outcome outcome = stopping_ ? Outcome{} : load(ruleset, to_peer);
  if (stopping_) return;
  const std::string problem = outcome.loaded ? "" : outcome.loaded.error().message;
  if (!outcome.device_ready)
    apply_at(sys::now() + kDeviceRetry);
  else if (!problem.empty())
    apply_at(sys::now() + kRetry);
  const std::lock_guard lock(mutex_);
  if (!problem.empty() && problem != problem_)
    log_.warning("management-ports-failed",
                 "the nodes' ports of the management address are not there: " + problem);
  problem_ = problem;
}

ManagementAccess::Outcome ManagementAccess::load(const std::string& ruleset, bool to_peer) {
  if (watch_) thread_->loop().remove(watch_->fd());
  watch_.reset();
  if (ruleset.empty()) return {remove_management_access(run_dir_)};
  const std::string path = run_dir_ + kRulesetFile;
  Outcome outcome{sys::write_state_file(path, ruleset)};
  if (outcome.loaded)
    outcome.loaded = run_command_to_end({"nft", "-f", path}, kLoadTimeout, stopping_);
  watch();
  if (outcome.loaded && to_peer) outcome.device_ready = let_answers_through();
  return outcome;
}

// What we did ourselves is not to be undone; what others do from now on is heard.
void ManagementAccess::watch() {
  auto opened = sys::NftablesWatch::open();
  if (!opened) return;
  watch_ = std::move(opened).value();
  (void)thread_->loop().add(watch_->fd(), EPOLLIN, [this](auto) { on_change(); });
}

void ManagementAccess::on_change() {
  const auto heard = watch_->read();
  if (settling_ || !(heard.lost || heard.deleted.contains(agent::kManagementTable))) return;
  settling_ = true;
  apply_at(sys::now() + kSettle);
}

void ManagementAccess::apply_at(Instant at) {
  thread_->loop().cancel(timer_);
  timer_ = thread_->loop().call_at(at, [this] { apply(); });
}

void ManagementAccess::add_status(json& status) const {
  const std::lock_guard lock(mutex_);
  if (wanted_.empty()) return;
  json list = json::array();
  for (const auto service : ports_.services)
    list.push_back(
        {{"service", service},
         {"chassis_1", agent::management_port(service, agent::ChassisId::one, ports_.slot)},
         {"chassis_2", agent::management_port(service, agent::ChassisId::two, ports_.slot)}});
  status["management"] = {
      {"ports", std::move(list)}, {"to_peer", !ports_.peer_ipv4.empty()}, {"error", problem_}};
}

std::vector<std::string> ManagementAccess::warnings() const {
  const std::lock_guard lock(mutex_);
  if (problem_.empty()) return {};
  return {"the nodes' ports of the management address are not there: " + problem_};
}

Status remove_management_access(const std::string& run_dir) {
  const std::string path = run_dir + kRulesetFile;
  if (::access(path.c_str(), F_OK) != 0) return Ok{};
  (void)sys::write_sysctl(kForwarding, "0");  // the device may be gone
  const std::atomic<bool> never{false};
  const std::string table = std::string(" table inet ") + agent::kManagementTable;
  Status removed =
      run_command_to_end({"nft", "add" + table + "; delete" + table}, kRemoveTimeout, never);
  if (removed) ::unlink(path.c_str());
  return removed;
}

}  // namespace hotpair::daemon
