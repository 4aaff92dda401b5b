#include "tests/golden/script.hpp"

#include <map>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "agent/daemon/links.hpp"
#include "tests/sim/world.hpp"

namespace hotpair::simulation {
using namespace agent;

namespace {

using Words = std::vector<std::string>;

[[noreturn]] void misspelt(const std::string& what) {
  throw std::runtime_error("cannot read '" + what + "' in the script");
}

Duration duration(const std::string& text) {
  std::size_t end = 0;
  const auto number = std::stoll(text, &end);
  const std::string unit = text.substr(end);
  if (unit == "ms") return std::chrono::milliseconds(number);
  if (unit == "s") return std::chrono::seconds(number);
  misspelt(text);
}

bool is(const std::string& word, const std::string& yes, const std::string& no) {
  if (word != yes && word != no) misspelt(word);
  return word == yes;
}

class Script {
 public:
  std::string run(const std::string& text);

 private:
  using Verb = void (Script::*)(const Words&);
  void execute(const std::string& line);

  Box& box(const Words& w) { return world_.box(std::stoi(w.at(1))); }
  void boot(const Words& w);
  void power(const Words& w) { box(w).power_off(); }
  void kill(const Words& w) { box(w).kill_agent(); }
  void start_agent(const Words& w) { box(w).start_agent(); }
  void dataplane(const Words& w);
  void run_time(const Words& w) { world_.run(duration(w.at(1))); }
  void cut(const Words& w) { set_cables(w, true); }
  void mend(const Words& w) { set_cables(w, false); }
  void set_cables(const Words& w, bool cut);
  void link(const Words& w) {
    box(w).set_link(w.at(2) == "lan" ? 0 : 1, is(w.at(3), "up", "down"));
  }
  void lag(const Words& w);
  void management(const Words& w) { box(w).set_management(is(w.at(2), "up", "down")); }
  void modules(const Words& w) {
    box(w).set_modules(static_cast<std::uint8_t>(std::stoi(w.at(2))));
  }
  void remote(const Words& w) {
    box(w).set_remote(std::stoul(w.at(2)), is(w.at(3), "reached", "lost"));
  }
  void witness(const Words& w) { box(w).set_witness(is(w.at(2), "answers", "silent")); }
  // Told on both nodes, of the one that is named.
  void partitions(const Words& w) {
    const char* lacking = is(w.at(2), "lacking", "whole") ? "VRF vrf-a of logical system a" : "";
    for (const char* node : {"1", "2"}) {
      const bool here = w.at(1) == node;
      box({"", node}).compare_partitions(here ? lacking : "", here ? "" : lacking);
    }
  }
  void what_if(const Words& w);
  void dry_run(const Words& w);
  void failover(const Words& w);
  void force(const Words& w);
  void maintenance(const Words& w) {
    box(w).command(is(w.at(2), "on", "off") ? OperatorCommand::What::maintenance_on
                                            : OperatorCommand::What::maintenance_off);
  }
  void shutdown(const Words& w) { box(w).command(OperatorCommand::What::shutdown); }
  void stall(const Words& w) { box(w).stall(duration(w.at(2))); }
  void pause(const Words& w) { box(w).pause(duration(w.at(2))); }
  void suspend(const Words& w) { box(w).suspend(duration(w.at(2))); }
  void set(const Words& w);
  void set_one(Box& box, const std::string& key, const std::string& value);
  void fail(const Words& w);
  void sync(const Words& w);
  void status(const Words& w);

  static const std::map<std::string, Verb> kVerbs;
  World world_{1};
  int lag_threshold_ = 0;
  daemon::KnownSpeeds speeds_;
};

const std::map<std::string, Script::Verb> Script::kVerbs{{"boot", &Script::boot},
                                                         {"power", &Script::power},
                                                         {"kill", &Script::kill},
                                                         {"agent", &Script::start_agent},
                                                         {"dataplane", &Script::dataplane},
                                                         {"run", &Script::run_time},
                                                         {"cut", &Script::cut},
                                                         {"mend", &Script::mend},
                                                         {"link", &Script::link},
                                                         {"lag", &Script::lag},
                                                         {"management", &Script::management},
                                                         {"modules", &Script::modules},
                                                         {"remote", &Script::remote},
                                                         {"witness", &Script::witness},
                                                         {"partitions", &Script::partitions},
                                                         {"what-if", &Script::what_if},
                                                         {"dry-run", &Script::dry_run},
                                                         {"failover", &Script::failover},
                                                         {"force", &Script::force},
                                                         {"maintenance", &Script::maintenance},
                                                         {"shutdown", &Script::shutdown},
                                                         {"stall", &Script::stall},
                                                         {"pause", &Script::pause},
                                                         {"suspend", &Script::suspend},
                                                         {"set", &Script::set},
                                                         {"fail", &Script::fail},
                                                         {"sync", &Script::sync},
                                                         {"status", &Script::status}};

void Script::boot(const Words& w) {
  box(w).start_agent();
  box(w).start_dataplane();
}

void Script::dataplane(const Words& w) {
  if (is(w.at(2), "start", "kill"))
    box(w).start_dataplane();
  else
    box(w).kill_dataplane();
}

void Script::set_cables(const Words& w, bool cut) {
  static const std::map<std::string, PathId> kPaths{
      {"ha0", 0}, {"ha1", 1}, {"session-sync", kSessionSyncPath}};
  for (const auto& [name, path] : kPaths) {
    if (w.at(1) != "all" && w.at(1) != name) continue;
    for (int from : {0, 1})
      if (w.size() < 3 || w[2] == (from == 0 ? "1>2" : "2>1"))
        world_.network.cable(from, path).cut = cut;
  }
  world_.dataplanes_changed();
}

// lag 2 up up outside: node 2's lan is an LACP bond, and so are its members of 10 Gbit/s each
void Script::lag(const Words& w) {
  sys::LinkInfo bond;
  bond.kind = "bond";
  bond.admin_up = bond.carrier = true;
  bond.bond_mode = 4;
  bond.bond_aggregator = 1;
  std::vector<sys::LinkInfo> members;
  for (std::size_t i = 2; i < w.size(); ++i) {
    const bool outside = w[i] == "outside";  // of the active aggregator, with carrier
    sys::LinkInfo member;
    member.name = "member" + std::to_string(i);
    member.admin_up = true;
    member.carrier = outside || is(w[i], "up", "down");
    member.speed_mbps = 10'000;
    const std::uint16_t aggregator = outside ? 2 : 1;
    member.bond_member = sys::BondMember{member.carrier, true, aggregator, 0x3f, 0};
    members.push_back(member);
  }
  const auto state = daemon::judge_lag(bond, members, lag_threshold_, speeds_);
  box(w).set_link(0, daemon::assess_link(&bond, &state, speeds_));
}

// what-if 1 2 link lan down: asked at node 1 about node 2
void Script::what_if(const Words& w) {
  using Kind = Assumption::Kind;
  static const std::map<std::string, Kind> kKinds{
      {"link", Kind::link},     {"management", Kind::management}, {"module", Kind::module},
      {"remote", Kind::remote}, {"forced", Kind::forced},         {"uptime", Kind::uptime},
      {"power", Kind::power}};
  Assumption assumed;
  assumed.node = static_cast<ChassisId>(std::stoi(w.at(2)));
  assumed.kind = kKinds.at(w.at(3));
  const std::string& state = w.back();
  assumed.good = state == "up" || state == "ok" || state == "reached" || state == "on";
  assumed.name = w.at(4);
  if (assumed.kind == Kind::module) assumed.slot = static_cast<std::uint8_t>(std::stoi(w.at(4)));
  if (assumed.kind == Kind::uptime) assumed.uptime = duration(state);
  if (assumed.kind == Kind::forced)
    assumed.forced = state == "none"                  ? Forced::none
                     : is(state, "primary", "backup") ? Forced::primary
                                                      : Forced::backup;
  const WhatIf answer = box(w).node().what_if({&assumed, 1}, box(w).local_now());
  world_.tell(w.at(1) + " says: " +
              std::string(answer.refused.size != 0 ? answer.refused.view() : answer.text.view()));
  if (answer.held_back.size != 0) world_.tell("  because " + std::string(answer.held_back.view()));
  for (const Reason& note : answer.notes) world_.tell("  note: " + std::string(note.view()));
}

void Script::dry_run(const Words& w) {
  const FailoverPlan plan = box(w).node().plan_failover(w.back() == "--force", box(w).local_now());
  world_.tell(w.at(1) + (plan.allowed ? " says: " : " would refuse: ") +
              std::string(plan.text.view()));
  for (const auto& step : plan.steps)
    world_.tell("  node " + std::to_string(static_cast<int>(step.node)) + ": " +
                std::string(step.name.view()) + ", " + std::string(step.text.view()));
}

void Script::failover(const Words& w) {
  const bool forced = w.size() > 2 && is(w[2], "--force", "");
  box(w).command(forced ? OperatorCommand::What::failover_force : OperatorCommand::What::failover);
}

void Script::force(const Words& w) {
  using What = OperatorCommand::What;
  static const std::map<std::string, What> kStates{
      {"primary", What::force_primary}, {"backup", What::force_backup}, {"none", What::force_none}};
  box(w).command(kStates.at(w.at(2)));
}

void Script::set(const Words& w) {
  if (w.at(2) == "lag-threshold") lag_threshold_ = std::stoi(w.at(3));
  for (int chassis : {1, 2})
    if (w.at(1) == "both" || std::stoi(w.at(1)) == chassis)
      set_one(world_.box(chassis), w.at(2), w.at(3));
}

void Script::set_one(Box& box, const std::string& key, const std::string& value) {
  NodeConfig& config = box.config;
  if (key == "priority")
    config.priority = static_cast<std::uint32_t>(std::stoul(value));
  else if (key == "override")
    config.override_ = is(value, "yes", "no");
  else if (key == "tolerance")
    config.board_failover_tolerance = static_cast<std::uint8_t>(std::stoi(value));
  else if (key == "hold")
    config.hold = duration(value);
  else if (key == "sync-timeout")
    config.sync_timeout = duration(value);
  else if (key == "flap-backoff")
    config.flap_backoff = duration(value);
  else if (key == "split-brain") {
    config.split_brain = is(value, "stay", "witness") ? SplitBrain::stay : SplitBrain::witness;
    config.witness = "192.0.2.7";
  } else if (key == "digest")  // of cluster.yaml: another number is another file
    config.cluster_digest = std::stoull(value);
  else if (key == "remote")  // one more monitor: its address
    config.remote_monitors.push_back({value, 100});
  else if (key == "uptime-margin")
    config.uptime_margin = duration(value);
  else if (key == "pickup")
    config.session_pickup = is(value, "yes", "no");
  else if (key == "password")
    box.password = value;
  else if (key == "next-version")
    box.next_version = is(value, "yes", "no");
  else if (key == "protocol")  // the lowest and the highest version that it speaks: 1-2
    config.protocol = {static_cast<std::uint8_t>(std::stoi(value)),
                       static_cast<std::uint8_t>(std::stoi(value.substr(value.find('-') + 1)))};
  else if (key == "group")
    box.group = static_cast<std::uint16_t>(std::stoi(value));
  else if (key == "lag-threshold")
    config.data_interfaces[0].lag = true;
  else if (key == "interfaces")  // 10 Gbit/s each
    while (config.data_interfaces.size() < std::stoul(value))
      config.data_interfaces.push_back(
          {"extra" + std::to_string(config.data_interfaces.size()), false, ""});
  else
    misspelt(key);
}

void Script::fail(const Words& w) {
  Faults& faults = box(w).faults;
  const std::map<std::string, Fault*> kActions{{"persist", &faults.persist},
                                               {"claim", &faults.claim},
                                               {"withdraw", &faults.withdraw},
                                               {"dataplane", &faults.dataplane},
                                               {"drain", &faults.drain}};
  Fault& fault = *kActions.at(w.at(2));
  fault.fail_permille = w.at(3) == "yes" ? 1000 : 0;
  fault.silent_permille = w.at(3) == "silent" ? 1000 : 0;
}

void Script::sync(const Words& w) {
  world_.sync_stuck = is(w.at(1), "stuck", "free");
  world_.dataplanes_changed();
}

void Script::status(const Words& w) {
  const NodeStatus s = box(w).status();
  std::string line = w.at(1) + " is " + std::string(to_string(s.role)) + ", epoch " +
                     std::to_string(s.epoch.number);
  line += s.addresses_held ? ", holds the addresses" : "";
  line += s.peer_alive ? ", peer " + std::string(to_string(s.peer.role)) : ", peer not alive";
  line += s.in_sync ? ", in sync" : "";
  if (s.suppressed.size != 0) line += "; suppressed: " + std::string(s.suppressed.view());
  for (const Reason& failing : s.failing) line += "; ALARM: " + std::string(failing.view());
  if (s.conflict.size != 0) line += "; conflict: " + std::string(s.conflict.view());
  world_.tell(line);
}

void Script::execute(const std::string& line) {
  std::istringstream in(line);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  if (words.empty() || !kVerbs.contains(words[0])) misspelt(line);
  (this->*kVerbs.at(words[0]))(words);
  if (!world_.checkers.violation().empty())
    misspelt(line + " (" + world_.checkers.violation() + ")");
}

std::string Script::run(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    const bool command = line.starts_with("> ");
    if (command || line.starts_with("#")) out += line + "\n";
    if (!command) continue;
    execute(line.substr(2));
    out += world_.take_story();
  }
  return out;
}

}  // namespace

std::string run_script(const std::string& text) {
  return Script().run(text);
}

}  // namespace hotpair::simulation
