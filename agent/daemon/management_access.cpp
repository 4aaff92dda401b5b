#include "agent/daemon/management_access.hpp"

#include <array>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/daemon/config_command.hpp"
#include "agent/daemon/tunnel.hpp"
#include "platform/linux/netlink_link.hpp"
#include "platform/linux/scheduling.hpp"
#include "platform/linux/state_file.hpp"
#include "platform/linux/sysctl.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

// The table as it was loaded last; that it exists says that there may be a table.
constexpr const char* kRulesetFile = "/management.nft";
constexpr Duration kLoadTimeout = 5s, kRemoveTimeout = 1s;
// Whoever flushes our table loads the rest of his ruleset in the same go; let him.
constexpr int kSettleMs = 50;
constexpr int kRetryMs = 10'000, kDeviceRetryMs = 100;
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
    : run_dir_(std::move(run_dir)),
      log_(std::move(log)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  thread_ = std::thread([this] { serve(); });
}

ManagementAccess::~ManagementAccess() {
  stopping_ = true;
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
  if (Status removed = remove_management_access(run_dir_); !removed)
    log_.warning("management-ports-failed", removed.error().message);
}

void ManagementAccess::configure(const config::Config& config, const NodePlan& plan) {
  const std::lock_guard lock(mutex_);
  ports_ = ports_of(config, plan);
  wanted_ = agent::management_ruleset(ports_);
  due_ = true;
  ::eventfd_write(wake_.get(), 1);
}

void ManagementAccess::serve() {
  sys::set_thread_name("management");
  while (!stopping_) {
    wait();
    std::string ruleset;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || !std::exchange(due_, false)) continue;
      ruleset = wanted_;
    }
    apply(ruleset);
  }
}

// Until an order comes, or somebody deleted our table, or it is time to try again.
void ManagementAccess::wait() {
  int patience = -1;
  {
    const std::lock_guard lock(mutex_);
    if (!problem_.empty()) patience = kRetryMs;
    if (!device_ready_) patience = kDeviceRetryMs;
  }
  std::array<pollfd, 2> waited{{{wake_.get(), POLLIN, 0}, {watch_ ? watch_->fd() : -1, POLLIN, 0}}};
  const int ready = ::poll(waited.data(), waited.size(), patience);
  bool again = ready == 0;
  if (eventfd_t times = 0; waited[0].revents != 0) ::eventfd_read(wake_.get(), &times);
  if (waited[1].revents != 0) {
    const auto heard = watch_->read();
    again = heard.lost || heard.deleted.contains(agent::kManagementTable);
    if (again) ::poll(waited.data(), 1, kSettleMs);
  }
  if (!again) return;
  const std::lock_guard lock(mutex_);
  due_ = true;
}

void ManagementAccess::apply(const std::string& ruleset) {
  const std::string path = run_dir_ + kRulesetFile;
  Status done = Ok{};
  bool ready = true;
  if (ruleset.empty()) {
    watch_.reset();
    done = remove_management_access(run_dir_);
  } else {
    done = sys::write_state_file(path, ruleset);
    if (done) done = run_command_to_end({"nft", "-f", path}, kLoadTimeout, stopping_);
    // What we did ourselves is not to be undone; what others do from now on is heard.
    watch_.reset();
    if (auto opened = sys::NftablesWatch::open()) watch_ = std::move(opened).value();
    if (done && uses_cluster_network()) ready = let_answers_through();
  }
  if (stopping_) return;
  const std::lock_guard lock(mutex_);
  const std::string problem = done ? "" : done.error().message;
  if (!problem.empty() && problem != problem_)
    log_.warning("management-ports-failed",
                 "the nodes' ports of the management address are not there: " + problem);
  problem_ = problem;
  device_ready_ = ready;
}

bool ManagementAccess::uses_cluster_network() const {
  const std::lock_guard lock(mutex_);
  return !ports_.peer_ipv4.empty();
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
