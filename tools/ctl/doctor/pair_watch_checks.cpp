// What this node's watchers say: modules, remote monitors, the witness, addresses of others.
#include "tools/ctl/doctor/pair_checks.hpp"
#include "tools/ctl/json_access.hpp"
#include "tools/ctl/style.hpp"

namespace hotpair::ctl {
namespace {

using Json = nlohmann::json;

void check_modules(const Json& status, Report& report) {
  for (const Json& module : child(status, "modules")) {
    if (text(module, "state") != "failed") {
      report.well("pair.module-failed");
      continue;
    }
    const std::string output = text(module, "last_output");
    const bool unit = text(module, "kind") == "unit";
    report.add({"pair.module-failed", Severity::problem,
                text(module, "kind") + " " + text(module, "name") + ": " + text(module, "reason"),
                output.empty() ? "what it watches does not work, or cannot be asked"
                               : "it printed: " + output,
                unit ? "systemctl status " + text(module, "name")
                     : "run it by hand and see: " + text(module, "name")});
  }
}

void check_remote(const Json& status, Report& report) {
  for (const Json& monitor : child(status, "remote_monitors")) {
    const Json& reached = child(monitor, "reached");
    if (!reached.is_boolean() || reached.get<bool>()) {
      report.well("pair.remote-unreached");
      continue;
    }
    const std::string trouble = text(monitor, "trouble");
    report.add({"pair.remote-unreached", Severity::warning,
                "remote monitor " + text(monitor, "address") + " on " + text(monitor, "interface") +
                    " does not answer",
                trouble.empty() ? "it is down, or the way to it is" : trouble,
                "ping " + text(monitor, "address")});
  }
  const Json& witness = child(status, "witness");
  if (!witness.is_object()) return;
  if (flag(witness, "answers")) return report.well("pair.witness-silent");
  report.add(
      {"pair.witness-silent", Severity::warning,
       "the witness " + text(witness, "address") + " does not answer",
       "it is down, or the way to it is: without its word a backup does not take over from a "
       "silent peer",
       "ping " + text(witness, "address")});
}

void check_foreign(const Json& status, Report& report) {
  bool well = true;
  for (const Json& address : child(status, "addresses")) {
    if (!flag(address, "foreign")) continue;
    well = false;
    report.add(
        {"pair.address-foreign", Severity::problem,
         text(address, "address") + " is on " + text(address, "device") + ", and not by hotpair",
         "another program or a configuration of the network gives this box a shared address",
         "take it out of /etc/network, netplan or NetworkManager; ip address del " +
             text(address, "address") + " dev " + text(address, "device")});
  }
  if (well) report.well("pair.address-foreign");
}

// What the agent asks for and does not get, e.g. its state file on a full disk.
void check_failing(const Json& status, Report& report) {
  const Json& failing = child(status, "failing");
  if (!failing.is_array() || failing.empty()) return report.well("pair.request-failing");
  for (const Json& one : failing)
    report.add({"pair.request-failing", Severity::problem, text(Json{{"i", one}}, "i"),
                "hotpaird tries again every second; until then a takeover may lack this step",
                "journalctl -u hotpaird -n 50; df -h; ip -br link; "
                "systemctl status hotpair-dataplane"});
}

}  // namespace

void check_watchers(const Json& status, Report& report) {
  check_failing(status, report);
  check_modules(status, report);
  check_remote(status, report);
  check_foreign(status, report);
  if (flag(status, "sync_overdue"))
    report.add({"pair.sync-overdue", Severity::problem,
                "the backup has been without every session for too long",
                "replication does not catch up: the session-sync port, its data plane, or the load",
                "hotpair status, section Sessions; journalctl -u hotpair-dataplane -n 50"});
}

}  // namespace hotpair::ctl
