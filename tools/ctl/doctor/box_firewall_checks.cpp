// Whether there is a firewall on this box at all, and whether it tracks connections.
#include "tools/ctl/doctor/box.hpp"

namespace hotpair::ctl {
namespace {

void check_unit(const std::string& state, Report& report) {
  if (state.empty()) return;
  if (state != "failed") return report.well("box.firewall-failed");
  report.add({"box.firewall-failed", Severity::problem, "nftables.service failed",
              "the kernel refused its ruleset, for instance for a device that was not there yet at "
              "boot; whatever was in force before is all there is",
              "journalctl -b -u nftables; nft -c -f /etc/nftables.conf; then 'systemctl restart "
              "nftables'"});
}

}  // namespace

void check_firewall(const Box& box, bool session_pickup, Report& report) {
  if (box.systemd) check_unit(box.firewall_unit, report);
  if (!box.firewall || box.firewall->others) return;
  if (box.firewall->tables == 0) {
    report.add({"box.no-ruleset", Severity::problem, "no ruleset is loaded: nothing is filtered",
                "nothing loaded one since the boot, or somebody flushed it",
                "nft -f /etc/nftables.conf; 'systemctl enable nftables' keeps it over a reboot"});
    return;
  }
  report.well("box.no-ruleset");
  if (!box.conntrack.max) return;  // said elsewhere
  // Entries in the table prove nothing: on a backup they are the peer's.
  if (box.firewall->tracks) return report.well("box.nothing-tracked");
  report.add({"box.nothing-tracked", session_pickup ? Severity::problem : Severity::warning,
              "no connection is tracked on this box",
              "no rule of the ruleset asks for the state of a connection or translates it, and the "
              "kernel tracks none without; there is nothing to be replicated",
              "have a rule such as 'ct state established,related accept' in the ruleset"});
}

}  // namespace hotpair::ctl
