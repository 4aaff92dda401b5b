// The shell around the core: everything the node asks for is done here, everything it should know
// comes from here. It translates and decides nothing.
//
//   kernel, peers, data plane, operators --> Links, Heartbeat*, DataplaneLink, Commands -->
//   Engine(Node) Engine(Node) --> Addresses, Announcements, DataplaneLink, HeartbeatSender, Hooks,
//   Reporter --> the world
//
// One thread, the main loop, owns it all. What may block is handed to two workers (disk; kernel
// devices); the heartbeat thread and the wardens know only when the main loop last ran.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "agent/daemon/addresses.hpp"
#include "agent/daemon/announcements.hpp"
#include "agent/daemon/commands.hpp"
#include "agent/daemon/companions.hpp"
#include "agent/daemon/dataplane_link.hpp"
#include "agent/daemon/engine.hpp"
#include "agent/daemon/heartbeat_management.hpp"
#include "agent/daemon/heartbeat_ports.hpp"
#include "agent/daemon/hooks.hpp"
#include "agent/daemon/link_burst.hpp"
#include "agent/daemon/modules.hpp"
#include "agent/daemon/neighbour_reports.hpp"
#include "agent/daemon/password_rotation.hpp"
#include "agent/daemon/prober.hpp"
#include "agent/daemon/recorder.hpp"
#include "agent/daemon/reload.hpp"
#include "agent/daemon/remote_monitors.hpp"
#include "agent/daemon/reporter.hpp"
#include "agent/daemon/start_up.hpp"
#include "agent/daemon/status_json.hpp"
#include "agent/daemon/virtual_devices.hpp"
#include "agent/daemon/warden_watch.hpp"
#include "agent/daemon/worker_modules.hpp"

namespace hotpair::daemon {

constexpr Duration kShutdownLimit = 3s;
constexpr int kMainLoopPriority = 40, kKernelWorkerPriority = 45;

class Runtime {
 public:
  // `feed` gets what `log` gets.
  static Result<std::unique_ptr<Runtime>> create(Prepared prepared, Log log,
                                                 std::shared_ptr<EventFeed> feed);
  ~Runtime();

  // Until an orderly end; the exit status.
  int run();

 private:
  Runtime(Prepared prepared, Log log, std::shared_ptr<EventFeed> feed);

  // Construction, in this order, and the end (runtime_parts.cpp).
  Status open_kernel();
  void open_wardens();
  void take_priority();
  void open_passwords();
  Status open_heartbeats();
  Status open_sockets();
  void start_node();
  void start_recorder(Instant now);
  void leave();
  void clean_up();
  void prepare_devices_now();
  void prepare_devices();
  void report_device_problems(const std::vector<std::string>& problems);

  // Turns of the loop (runtime.cpp).
  void on_wake();
  void after_turn();
  void tick(Instant now);
  Duration fencing_time() const;
  void on_signal(int signal);
  void on_links_readable();
  void devices_changed(bool came_or_went);
  void watch_new_vrf_members();
  void watch_modules();
  void watch_the_outside();
  void tell_modules();
  PairView pair_view() const;

  // What the core asks for (runtime_actions.cpp).
  void perform(const agent::Action& action);
  void act(const agent::PersistState& action);
  void act(const agent::WithdrawAddresses& action);
  void act(const agent::SetDataplaneRole& action);
  void act(const agent::DrainDataplane& action);
  void act(const agent::ClaimAddresses& action);
  void act(const agent::Announce& action);
  void act(const agent::PublishHeartbeat& action);
  void act(const agent::RunHooks& action);
  void act(const agent::ReportRoleChange& action);
  void act(const agent::ReportTransaction& action);
  void act(const agent::ReportEvent& action);
  void act(const agent::OperatorAnswer& action);
  void act(const agent::Exit& action);
  AddressDone report_outcome(agent::ActionId id);
  void announce();
  void publish(bool at_once);
  void save_history();
  void heard(agent::PathId path, const agent::Heartbeat& heartbeat);
  void order(agent::OperatorCommand::What what, OrderAnswered answered);

  // What operators ask for (runtime_status.cpp).
  CommandTarget command_target();
  StatusView view();
  nlohmann::json what_if(const nlohmann::json& request);
  std::vector<std::string> warnings() const;
  void reload(ReloadAnswered answered);
  nlohmann::json apply_reload(Reloaded& reloaded);
  void take_plan(config::Config config, std::unique_ptr<NodePlan> plan);

  Options options_;
  config::Config config_;
  Log log_;
  std::shared_ptr<EventFeed> feed_;
  std::unique_ptr<Warden> warden_;  // null: it could not be, which is said in `warnings`
  InstanceLock lock_;
  agent::PersistedState persisted_;
  PasswordDigest password_digest_;
  agent::PasswordUse password_use_;  // of the run before
  std::vector<std::string> start_warnings_;
  std::unique_ptr<NodePlan> plan_;

  std::unique_ptr<sys::EventLoop> loop_;
  std::unique_ptr<sys::LinkMonitor> link_monitor_;
  std::unique_ptr<sys::AddressWatch> address_watch_;
  std::unique_ptr<sys::AddressTable> address_table_;  // the kernel worker's while that lives
  std::unique_ptr<KernelSettings> settings_;          // likewise
  std::unique_ptr<Worker> disk_, kernel_;
  std::unique_ptr<WardenWatch> wardens_;
  std::unique_ptr<SharedAssociation> association_;
  std::unique_ptr<PasswordRotation> passwords_;
  std::unique_ptr<HeartbeatSender> sender_;
  std::unique_ptr<HeartbeatReceiver> receiver_;
  std::unique_ptr<HeartbeatPorts> ports_;
  std::unique_ptr<Links> links_;
  std::unique_ptr<LinkBurst> link_burst_;
  std::unique_ptr<Modules> modules_;
  std::unique_ptr<WorkerModules> worker_modules_;
  std::unique_ptr<Prober> prober_;
  std::unique_ptr<RemoteMonitors> remote_monitors_;
  std::unique_ptr<Witness> witness_;
  std::unique_ptr<Addresses> addresses_;
  std::unique_ptr<Announcements> announcements_;
  std::unique_ptr<NeighbourReports> neighbours_;
  std::unique_ptr<HeartbeatManagement> management_;
  std::unique_ptr<DataplaneLink> dataplane_;
  std::unique_ptr<Hooks> hooks_;
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<Recorder> recorder_;  // null: not wanted
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Companions> companions_;
  std::unique_ptr<Commands> commands_;

  std::atomic<std::int64_t> tick_ns_{0};  // end of the last turn; read by the heartbeat thread
  Instant last_wake_{};
  Instant next_watchdog_{};
  std::optional<Duration> watchdog_;
  agent::Heartbeat published_;
  OrderAnswered order_now_, order_under_way_;
  std::string last_reason_;
  std::uint64_t last_epoch_ = 0;
  std::optional<agent::ModulesChanged> told_modules_;
  std::optional<agent::Role> peer_role_;
  std::optional<Instant> peer_role_since_;
  sys::TimerId history_timer_ = 0;
  std::optional<Instant> shutdown_asked_;
  int exit_status_ = kExitGood;
};

}  // namespace hotpair::daemon
