// What the core asks for, done.
#include "agent/daemon/runtime.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/netlink_neigh.hpp"
#include "platform/linux/sd_notify.hpp"
#include "platform/linux/state_file.hpp"

namespace hotpair::daemon {

void Runtime::perform(const agent::Action& action) {
  std::visit([this](const auto& what) { act(what); }, action);
}

AddressDone Runtime::report_outcome(agent::ActionId id) {
  return [this, id, asked = sys::now()](const AddressOutcome& outcome) {
    engine_->submit(agent::ActionDone{id, outcome.ok, sys::now() - asked, outcome.error});
  };
}

void Runtime::act(const agent::PersistState& action) {
  const std::string path = options_.state_dir + "/" + kStateFile;
  disk_->run([path, text = state_text(action.state)] { return sys::write_state_file(path, text); },
             [this, id = action.id, asked = sys::now()](const Status& written) {
               if (!written) log_.error("persist-failed", written.error().message);
               engine_->submit(agent::ActionDone{id, written.ok(), sys::now() - asked,
                                                 written ? "" : written.error().message});
             });
}

void Runtime::act(const agent::WithdrawAddresses& action) {
  announcements_->stop();
  neighbours_->withdrawn();
  addresses_->withdraw(action.linger, report_outcome(action.id));
}

void Runtime::act(const agent::ClaimAddresses& action) {
  addresses_->claim(report_outcome(action.id));
}

void Runtime::act(const agent::SetDataplaneRole& action) {
  dataplane_->set_role(action);
}

void Runtime::act(const agent::DrainDataplane& action) {
  dataplane_->drain(action);
}

void Runtime::act(const agent::Announce&) {
  announce();
}

void Runtime::announce() {
  const auto& takeover = config_.cluster.takeover;
  announcements_->start(takeover.garp_count, takeover.garp_interval,
                        !plan_->virtual_devices.empty());
  neighbours_->announced(owned_addresses(plan_->addresses, addresses_->held(),
                                         devices_of(*link_monitor_), forwards_ipv6));
  // An answer that the switch still sent to the node before would be waited for a second long.
  std::vector<int> ifindexes;
  for (const auto& name : macvlans(plan_->addresses))
    if (const auto device = devices_of(*link_monitor_)(name)) ifindexes.push_back(device->ifindex);
  if (ifindexes.empty()) return;
  for (const Duration pause : {5ms, 15ms, 45ms, 105ms})  // behind the early announcements
    loop_->call_at(sys::now() + pause, [this, ifindexes] {
      kernel_->run([ifindexes] { (void)sys::forget_unresolved_neighbours(ifindexes, 20ms); });
    });
}

void Runtime::act(const agent::PublishHeartbeat& action) {
  published_ = action.heartbeat;
  publish(action.at_once);
}

void Runtime::publish(bool at_once) {
  published_.version = HOTPAIR_VERSION;
  published_.passwords = passwords_->use();
  if (dataplane_) published_.dataplane_nonce = dataplane_->nonce();
  sender_->publish(published_, at_once);
}

void Runtime::act(const agent::RunHooks& action) {
  hooks_->run(action.hook, config_.cluster.takeover, last_epoch_, last_reason_);
}

void Runtime::act(const agent::ReportRoleChange& action) {
  last_reason_ = action.reason.view();
  last_epoch_ = action.epoch.number;
  reporter_->report(action, sys::wall_clock_text());
  sys::notify_status(std::string(agent::to_string(action.to)) + " at epoch " +
                     std::to_string(action.epoch.number));
}

void Runtime::act(const agent::ReportTransaction& action) {
  reporter_->report(action);
}

void Runtime::act(const agent::ReportEvent& action) {
  reporter_->report(action);
}

// An order that comes while another is being carried out is answered first, and at once.
void Runtime::act(const agent::OperatorAnswer& action) {
  auto& asked = order_now_ ? order_now_ : order_under_way_;
  if (const auto answered = std::exchange(asked, nullptr)) answered(action);
}

// What lingers is still being forwarded: the end waits for it, within the shutdown limit.
void Runtime::act(const agent::Exit&) {
  if (!addresses_->lingering()) return loop_->stop();
  loop_->call_at(sys::now() + kLinger, [this] { loop_->stop(); });
}

// Not within the takeover: a moment later, and in the disk's own thread.
void Runtime::save_history() {
  if (history_timer_ != 0) return;
  history_timer_ = loop_->call_at(sys::now() + 500ms, [this] {
    history_timer_ = 0;
    disk_->run(
        [path = options_.state_dir + "/" + kHistoryFile, history = reporter_->history()] {
          return sys::write_state_file(
              path,
              history.to_json().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                  "\n");
        },
        [this](const Status& written) {
          if (!written) log_.warning("history-failed", written.error().message);
        });
  });
}

void Runtime::heard(agent::PathId path, const agent::Heartbeat& heartbeat) {
  if (path < agent::kSessionSyncPath) sender_->direct_heard(last_wake_);
  sender_->peer_is_direct_silent(heartbeat.direct_silent);
  if (peer_role_ != heartbeat.role) {
    peer_role_ = heartbeat.role;
    peer_role_since_ = sys::now();
  }
  passwords_->heard(heartbeat.passwords);
  if (heartbeat.role == agent::Role::primary) addresses_->peer_is_primary();
  // Data planes of nodes that do not mean the same are not brought together.
  const bool agreed = agent::agree(options_.protocol, heartbeat.protocol).has_value();
  dataplane_->update_keys(agreed ? heartbeat.dataplane_nonce : DataplaneNonce{});
}

void Runtime::order(agent::OperatorCommand::What what, OrderAnswered answered) {
  order_now_ = std::move(answered);
  engine_->submit(agent::OperatorCommand{what});
  if (order_now_) order_under_way_ = std::exchange(order_now_, nullptr);
}

}  // namespace hotpair::daemon
