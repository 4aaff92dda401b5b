// How the parts of an agent are put together, and taken apart.
#include <csignal>

#include "agent/daemon/control_schema.hpp"
#include "agent/daemon/runtime.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/netlink_neigh.hpp"
#include "platform/linux/scheduling.hpp"

namespace hotpair::daemon {
namespace {

bool under_systemd() {
  return std::getenv("INVOCATION_ID") != nullptr;
}

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::create(Prepared prepared, Log log,
                                                 std::shared_ptr<EventFeed> feed) {
  auto cipher = std::move(prepared.cipher);
  History history = std::move(prepared.history);
  auto runtime =
      std::unique_ptr<Runtime>(new Runtime(std::move(prepared), std::move(log), std::move(feed)));
  Runtime& r = *runtime;
  if (auto opened = r.open_kernel(); !opened) return Failure<Error>{opened.error()};
  r.open_wardens();
  r.take_priority();
  r.disk_ = std::make_unique<Worker>(*r.loop_, "disk", 0);
  r.kernel_ = std::make_unique<Worker>(*r.loop_, "kernel", kKernelWorkerPriority);
  if (r.warden_)
    r.wardens_ =
        std::make_unique<WardenWatch>(WardenWatch::Needs{*r.loop_, *r.disk_, *r.warden_, r.log_});
  r.association_ = std::make_unique<SharedAssociation>(
      r.plan_->node.self, static_cast<std::uint16_t>(r.config_.cluster.group_id),
      std::move(cipher));
  r.open_passwords();
  r.reporter_ = std::make_unique<Reporter>(r.log_, std::move(history), [&r] { r.save_history(); });
  r.hooks_ = std::make_unique<Hooks>(*r.loop_, r.log_, under_systemd());
  if (auto opened = r.open_heartbeats(); !opened) return Failure<Error>{opened.error()};
  if (auto opened = r.open_sockets(); !opened) return Failure<Error>{opened.error()};
  if (auto noted = note_addresses(r.options_.run_dir, r.config_); !noted)
    return Failure<Error>{noted.error()};
  r.start_node();
  return runtime;
}

Runtime::Runtime(Prepared prepared, Log log, std::shared_ptr<EventFeed> feed)
    : options_(std::move(prepared.options)),
      config_(std::move(prepared.config)),
      log_(std::move(log)),
      feed_(std::move(feed)),
      lock_(std::move(prepared.lock)),
      persisted_(prepared.persisted),
      password_digest_(prepared.password_digest),
      password_use_(prepared.password_use) {}

Runtime::~Runtime() = default;

Status Runtime::open_kernel() {
  auto loop = sys::EventLoop::create();
  if (!loop) return Failure<Error>{loop.error()};
  loop_ = std::move(loop).value();
  std::signal(SIGPIPE, SIG_IGN);
  if (auto added = loop_->on_signals({SIGTERM, SIGINT, SIGHUP}, [this](int s) { on_signal(s); });
      !added)
    return added;
  auto monitor = sys::LinkMonitor::open();
  if (!monitor) return Failure<Error>{monitor.error()};
  link_monitor_ = std::move(monitor).value();
  auto watch = sys::AddressWatch::open();
  if (!watch) return Failure<Error>{watch.error()};
  address_watch_ = std::move(watch).value();
  auto table = sys::AddressTable::open();
  if (!table) return Failure<Error>{table.error()};
  address_table_ = std::make_unique<sys::AddressTable>(std::move(table).value());
  auto plan = make_plan(
      config_, [this](const std::string& device) { return is_lag(link_monitor_->find(device)); },
      [this](const std::string& vrf) { return members_of_vrf(*link_monitor_, vrf); });
  if (!plan) return Failure<Error>{plan.error()};
  plan_ = std::make_unique<NodePlan>(std::move(plan).value());
  plan_->node.protocol = options_.protocol;
  for (const auto& interface : plan_->data_interfaces)
    if (link_monitor_->find(interface.device) == nullptr)
      log_.warning("device-missing",
                   "data interface " + interface.name + ": device " + interface.device +
                       " does not exist; see 'ip link' and interfaces in node.yaml",
                   {{"interface", interface.name}, {"device", interface.device}});
  return Ok{};
}

void Runtime::open_wardens() {
  auto warden = Warden::create();
  if (warden) {
    warden_ = std::move(warden).value();
    return;
  }
  start_warnings_.push_back("there are no wardens: " + warden.error().message);
  log_.error("warden-failed", warden.error().message);
}

// Not on the data plane's CPUs: its dumps of the kernel's table hold one of them longer than a peer
// waits.
void Runtime::take_priority() {
  auto taken = config_.node.session_sync.lcores;
  if (const auto last = sys::last_of_several_cpus(); taken.empty() && last) taken.push_back(*last);
  // Where there are not enough to keep off all, off that which reads the kernel's table.
  if (taken.size() > 1) std::swap(taken[0], taken[1]);
  for (const unsigned cpu : taken) sys::keep_off_cpu(cpu);
  for (const auto& asked : {sys::lock_memory(), sys::set_realtime_priority(kMainLoopPriority)}) {
    if (asked) continue;
    start_warnings_.push_back(asked.error().message);
    log_.warning("not-realtime", asked.error().message);
  }
}

void Runtime::open_passwords() {
  passwords_ = std::make_unique<PasswordRotation>(
      PasswordRotation::Needs{*loop_, *disk_, *association_, log_,
                              options_.state_dir + "/" + kPasswordFile, [this] { publish(true); },
                              [this] { return engine_->glance().peer_alive; }},
      password_use_);
}

Status Runtime::open_heartbeats() {
  const auto group = static_cast<std::uint16_t>(config_.cluster.group_id);
  HeartbeatSender::Needs speaks{*association_,
                                [this] { return Instant(Duration(tick_ns_.load())); },
                                plan_->heartbeats, group};
  sender_ = std::make_unique<HeartbeatSender>(std::move(speaks), plan_->node.interval,
                                              plan_->node.detection_time());
  HeartbeatReceiver::Needs hears{
      *association_, [this](EventBody e) { engine_->submit(std::move(e)); }, log_,
      [this](auto path, const auto& heartbeat) { heard(path, heartbeat); },
      [this] { return plan_->node.interval; }};
  receiver_ = std::make_unique<HeartbeatReceiver>(std::move(hears), plan_->heartbeats, group);
  ports_ = std::make_unique<HeartbeatPorts>(
      HeartbeatPorts::Needs{*loop_, *kernel_, *link_monitor_, *receiver_, *sender_, log_},
      plan_->heartbeats);
  if (plan_->management_path)
    management_ = std::make_unique<HeartbeatManagement>(
        HeartbeatManagement::Needs{
            *loop_, *sender_,
            [this](Instant at, Bytes frame) { receiver_->on_management(at, frame); }, log_},
        *plan_->management_path);
  return ports_->open_all();
}

Status Runtime::open_sockets() {
  auto announcer = sys::Announcer::open();
  if (!announcer) return Failure<Error>{announcer.error()};
  const auto find = devices_of(*link_monitor_);
  announcements_ = std::make_unique<Announcements>(
      *loop_, std::move(announcer).value(), log_,
      [this, find] {
        return announcements_for(plan_->addresses, addresses_->held(), find, forwards_ipv6);
      },
      [this] { return !pair_view().peer_alive; });
  neighbours_ = std::make_unique<NeighbourReports>(*loop_, log_);
  const Apply apply = [this](std::vector<sys::AddressOperation> operations, ApplyDone done) {
    kernel_->run(
        [this, operations = std::move(operations)] { return address_table_->apply(operations); },
        [done = std::move(done)](const auto& results) { done(results); });
  };
  const auto forget = [this](const std::vector<int>& ifindexes) {
    kernel_->run([ifindexes] { (void)sys::forget_unresolved_neighbours(ifindexes, 20ms); });
  };
  addresses_ = std::make_unique<Addresses>(
      Addresses::Needs{*loop_, apply, find, warden_.get(), log_, [this] { announce(); }, forget});
  DataplaneLink::Needs needs{*loop_,
                             *association_,
                             plan_->node.self,
                             static_cast<std::uint16_t>(config_.cluster.group_id),
                             [this](EventBody e) { engine_->submit(std::move(e)); },
                             log_,
                             [this](Instant at, Bytes frame) { receiver_->on_relay(at, frame); },
                             [this](auto socket) { sender_->set_relay(std::move(socket)); },
                             [this] { publish(true); }};
  auto dataplane = DataplaneLink::listen(options_.run_dir + "/" + dataplane::control::kSocketName,
                                         std::move(needs));
  if (!dataplane) return Failure<Error>{dataplane.error()};
  dataplane_ = std::move(dataplane).value();
  auto commands = Commands::listen(*loop_, options_.run_dir + "/" + control::kAgentSocket,
                                   command_target(), log_);
  if (!commands) return Failure<Error>{commands.error()};
  commands_ = std::move(commands).value();
  return Ok{};
}

void Runtime::start_recorder(Instant now) {
  if (options_.recording_mib == 0) return;
  const auto disk = [this](auto work, auto done) { disk_->run(std::move(work), std::move(done)); };
  const auto wall_ms = [] { return static_cast<std::uint64_t>(sys::wall_clock() / 1ms); };
  recorder_ = std::make_unique<Recorder>(
      Recorder::Needs{disk, wall_ms, log_, options_.state_dir + "/" + kRecordingDirectory,
                      options_.recording_mib << 20, HOTPAIR_VERSION});
  recorder_->start(plan_->node, persisted_, now);
}

void Runtime::start_node() {
  const Instant now = sys::now();
  start_recorder(now);
  engine_ = std::make_unique<Engine>(
      agent::Node(plan_->node, persisted_, now), sys::now,
      [this](const agent::Action& action) { perform(action); }, recorder_.get());
  links_ = std::make_unique<Links>(*link_monitor_,
                                   [this](EventBody e) { engine_->submit(std::move(e)); });
  modules_ = std::make_unique<Modules>(
      [this](const std::string& device) { return links_->device_present(device); }, sys::now);
  worker_modules_ = std::make_unique<WorkerModules>(*loop_, [this](int slot, const auto& word) {
    modules_->note(slot, word);
    tell_modules();
  });
  const Emit submit = [this](EventBody e) { engine_->submit(std::move(e)); };
  prober_ = std::make_unique<Prober>(*loop_, *link_monitor_);
  remote_monitors_ = std::make_unique<RemoteMonitors>(*prober_, submit);
  witness_ = std::make_unique<Witness>(*prober_, submit);
  companions_ = std::make_unique<Companions>(make_companions(
      {*loop_, *disk_, *kernel_, *link_monitor_, options_, *association_, log_, feed_,
       [submit](const agent::PartitionsCompared& compared) { submit(compared); }}));
  companions_->configure(config_, *plan_);
  clean_up();
  prepare_devices_now();
  addresses_->configure(*plan_);
  engine_->submit(agent::DeadlineReached{});
  links_->configure(*plan_, config_.cluster.election.link_failure_threshold);
  watch_modules();
  watch_the_outside();
  devices_changed(false);
  (void)loop_->add(link_monitor_->fd(), EPOLLIN, [this](auto) { on_links_readable(); });
  if (auto reader = sys::LinkReader::open())
    link_burst_ = std::make_unique<LinkBurst>(
        LinkBurst::Needs{*loop_, *kernel_, *link_monitor_, [this] { devices_changed(false); }},
        std::move(reader).value());
  (void)loop_->add(address_watch_->fd(), EPOLLIN,
                   [this](auto) { address_watch_->handle_readable(); });
  address_watch_->on_change([this](const auto& change) { addresses_->on_change(change); });
  address_watch_->on_overrun([this] { addresses_->on_devices_changed(); });
}

void Runtime::leave() {
  if (recorder_) recorder_->finish(sys::now());
  commands_.reset();
  companions_.reset();
  worker_modules_.reset();
  link_burst_.reset();
  remote_monitors_.reset();
  witness_.reset();
  hooks_.reset();
  announcements_->stop();
  neighbours_.reset();
  ports_.reset();
  management_.reset();
  sender_.reset();
  wardens_.reset();
  disk_.reset();
  kernel_.reset();  // from here on the address table is ours
  if (warden_ != nullptr) warden_->disarm();
  std::size_t left = 0;
  for (const auto& result :
       address_table_->apply(withdraw_everything(*plan_, devices_of(*link_monitor_)), 1s))
    if (!result.ok) {
      ++left;
      log_.error("withdraw-failed", result.text);
    }
  for (const auto& problem : settings_->restore()) log_.warning("device-setup-failed", problem);
  if (left > 0) exit_status_ = kExitFailed;
  log_.notice("stopped", "hotpaird has given everything back and ends");
}

}  // namespace hotpair::daemon
