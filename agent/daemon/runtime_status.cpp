// What operators ask for: status, why, reload.
#include "agent/daemon/alarms.hpp"
#include "agent/daemon/rehearsal.hpp"
#include "agent/daemon/runtime.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/sd_notify.hpp"

namespace hotpair::daemon {

using nlohmann::json;

namespace {

json refusal(const std::vector<std::string>& problems) {
  json reply = error_json(problems.empty() ? "the configuration cannot be read" : problems.front());
  reply["problems"] = problems;
  return reply;
}

}  // namespace

CommandTarget Runtime::command_target() {
  CommandTarget target;
  target.status = [this] {
    json status = status_json(view());
    status["passwords"] = passwords_->to_json();
    if (wardens_) status["wardens"] = wardens_->to_json();
    status["transitions"] = reporter_->counts().to_json();
    companions_->add_status(status);
    status["alarms"] = alarms_json(status);
    return status;
  };
  target.what_if = [this](const json& request) { return what_if(request); };
  target.plan_failover = [this](bool by_force) {
    return to_json(engine_->plan_failover(by_force));
  };
  target.password_status = [this] {
    json reply = passwords_->to_json();
    reply["ok"] = true;
    return reply;
  };
  target.password_switch = [this](bool back, ReloadAnswered answered) {
    passwords_->switch_over(back, std::move(answered));
  };
  target.why = [this] { return why_json(view()); };
  target.history = [this](std::size_t limit) {
    json reply = reporter_->history().to_json(limit);
    reply["ok"] = true;
    return reply;
  };
  target.order = [this](auto what, OrderAnswered answered) { order(what, std::move(answered)); };
  target.reload = [this](ReloadAnswered answered) { reload(std::move(answered)); };
  target.companions = [this](const std::string& command, const json& request,
                             const Companion::Answered& answered) {
    return companions_->answer(command, request, answered);
  };
  return target;
}

json Runtime::what_if(const json& request) {
  const auto find_module = [this](int slot) -> std::optional<KnownModule> {
    for (const auto& row : modules_->rows())
      if (row.slot == slot) return KnownModule{row.word.state != ModuleState::failed};
    return std::nullopt;
  };
  const auto assumptions = parse_assumptions(request, plan_->node.self, find_module);
  return assumptions ? to_json(engine_->what_if(*assumptions))
                     : error_json(assumptions.error().message);
}

StatusView Runtime::view() {
  StatusView view{*plan_, config_, engine_->status(), published_};
  view.now = sys::now();
  view.wall_now = sys::wall_clock_text();
  view.wall_now_ms = to_ms(sys::wall_clock());
  view.version = HOTPAIR_VERSION;
  for (std::size_t i = 0; i < links_->data().size(); ++i) {
    const auto& state = links_->data()[i];
    const auto& lag = links_->lags()[i];
    const auto carried = lag && state.up ? lag->speed_mbps : state.speed_mbps;
    view.data_interfaces.push_back({state.present, state.up, carried, lag});
  }
  view.heartbeat_link_up = links_->heartbeat_up();
  view.dataplane_port_up = dataplane_->port_up();
  if (management_) {
    view.management_open = management_->open();
    view.management_foreign = management_->counters().foreign;
  }
  view.addresses_held = addresses_->held();
  view.modules = modules_->rows();
  view.remote_monitors = remote_monitors_->rows();
  if (!config_.cluster.election.witness.empty()) view.witness = witness_->view();
  view.neighbours = neighbours_->last();
  view.addresses_foreign = addresses_->foreign();
  for (std::size_t i = 0; i < plan_->addresses.size(); ++i)
    view.addresses_put_back.push_back(addresses_->losses().count(i));
  view.peer_role_since = peer_role_since_;
  view.mismatches = receiver_->mismatches();
  view.jitter = receiver_->jitter();
  const auto rejected =
      association_->with([](auto& association) { return association.rejected(); });
  for (std::size_t i = 0; i < rejected.size(); ++i)
    if (rejected[i] > 0)
      view.rejected[std::string(agent::to_string(static_cast<agent::Rejection>(i)))] = rejected[i];
  for (const auto& [reason, times] : prober_->rejected()) view.rejected[reason] = times;
  view.warnings = warnings();
  return view;
}

std::vector<std::string> Runtime::warnings() const {
  auto list = start_warnings_;
  if (config_.cluster.session_pickup.enabled && !dataplane_->connected())
    list.push_back(
        "session_pickup is enabled and no data plane is connected; 'systemctl start "
        "hotpair-dataplane'");
  const auto node = engine_->status();
  if (node.peer_alive && node.peer.cluster_digest != config_.cluster.digest)
    list.push_back(
        "cluster.yaml of the two nodes differ in meaning; copy the right one to the "
        "other node and 'hotpair reload' there");
  if (wardens_)
    for (auto& warning : wardens_->warnings()) list.push_back(std::move(warning));
  for (auto& warning : addresses_->warnings()) list.push_back(std::move(warning));
  for (auto& warning : neighbours_->warnings(sys::now())) list.push_back(std::move(warning));
  for (const auto& failure : hooks_->failures()) list.push_back(failure);
  companions_->add_warnings(list);
  return list;
}

void Runtime::reload(ReloadAnswered answered) {
  disk_->run(
      [dir = options_.config_dir, running = config_, known = password_digest_] {
        return std::make_shared<Result<Reloaded, ReloadProblems>>(read_again(dir, running, known));
      },
      [this, answered = std::move(answered)](const auto& read) {
        answered(*read ? apply_reload(**read) : refusal(read->error()));
      });
}

json Runtime::apply_reload(Reloaded& reloaded) {
  auto plan = make_plan(
      reloaded.config,
      [this](const std::string& device) { return is_lag(link_monitor_->find(device)); },
      [this](const std::string& vrf) { return members_of_vrf(*link_monitor_, vrf); });
  if (!plan) return refusal({plan.error().message});
  if (reloaded.cipher)
    if (const auto objection = passwords_->objection_to(
            {reloaded.cipher->password_id(0), reloaded.cipher->password_id(1)}))
      return refusal({*objection});
  sys::notify_reloading();
  take_plan(std::move(reloaded.config), std::make_unique<NodePlan>(std::move(plan).value()));
  password_digest_ = reloaded.password_digest;
  if (reloaded.cipher && association_->adopt_passwords(*reloaded.cipher)) {
    passwords_->loaded();
    publish(true);
    log_.notice("password-changed", "the password was read again and is in force");
  }
  sys::notify_ready(std::string(agent::to_string(engine_->status().role)));
  log_.notice("reloaded", "the configuration was read again and is in force");
  return {{"ok", true}, {"message", "the configuration is in force"}};
}

void Runtime::take_plan(config::Config config, std::unique_ptr<NodePlan> plan) {
  config_ = std::move(config);
  plan->node.protocol = options_.protocol;
  addresses_->configure(*plan);  // still knows the plan before
  plan_ = std::move(plan);
  links_->configure(*plan_, config_.cluster.election.link_failure_threshold);
  watch_modules();
  sender_->set_timing(plan_->node.interval, plan_->node.detection_time());
  engine_->reconfigure(plan_->node);
  watch_the_outside();
  companions_->configure(config_, *plan_);
  prepare_devices();
  devices_changed(false);
  disk_->run([dir = options_.run_dir, noted = config_] { return note_addresses(dir, noted); },
             [this](const Status& written) {
               if (!written) log_.warning("note-failed", written.error().message);
             });
}

}  // namespace hotpair::daemon
