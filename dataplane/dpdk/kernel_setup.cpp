#include "dataplane/dpdk/kernel_setup.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "platform/linux/sysctl.hpp"

namespace hotpair::dpdk {

namespace {

std::uint32_t number(const std::string& name) {
  const auto value = sys::read_sysctl_number(name);
  return value.ok() && *value > 0
             ? static_cast<std::uint32_t>(std::min<std::int64_t>(*value, UINT32_MAX))
             : 0;
}

// Entries made while nobody listens carry no event extension unless this is 1: they would never
// tell that they changed or ended (net/netfilter/nf_conntrack_ecache.c).
void enable_events(const Log& log) {
  constexpr const char* kName = "net/netfilter/nf_conntrack_events";
  const auto before = sys::read_sysctl_number(kName);
  if (!before.ok()) {
    log.error(
        "conntrack-missing",
        "this kernel tracks no connections here; 'modprobe nf_conntrack' and a ruleset that uses "
        "'ct state' make it");
    return;
  }
  if (*before == 1) return;
  if (Status set = sys::write_sysctl(kName, "1"); !set.ok()) {
    log.warning(
        "conntrack-events",
        "sessions opened while this node is backup will not tell when they end, for "
        "nf_conntrack_events cannot be set; run 'sysctl -w net.netfilter.nf_conntrack_events=1'",
        {{"error", set.error().message}});
    return;
  }
  const std::uint32_t tracked = number("net/netfilter/nf_conntrack_count");
  if (tracked > 0)
    log.notice(
        "conntrack-events",
        "nf_conntrack_events is on now; sessions from before are followed by dumps of the table",
        {{"sessions", tracked}});
}

Status raise(const std::string& setting, std::uint32_t wanted, const Log& log) {
  if (wanted == 0) return Ok{};
  const std::string name = "net/netfilter/" + setting;
  const auto before = sys::read_sysctl_number(name);
  if (!before.ok()) return fail(before.error());
  const bool unlimited = *before == 0;
  if (unlimited || *before >= wanted) return Ok{};
  const Status set = sys::write_sysctl(name, std::to_string(wanted));
  if (number(name) < wanted)
    return fail_with("session_sync.conntrack in node.yaml asks for " + setting + " of " +
                     std::to_string(wanted) + ", it is " + std::to_string(*before) +
                     " and stays so" + (set.ok() ? "" : " (" + set.error().message + ")") +
                     "; run 'sysctl -w net.netfilter." + setting + "=" + std::to_string(wanted) +
                     "' in the initial namespace, or ask for less");
  log.notice("conntrack-raised", setting + " is raised, as session_sync.conntrack asks",
             {{"from", *before}, {"to", wanted}});
  return Ok{};
}

}  // namespace

Result<KernelTable> prepare_kernel(const config::ConntrackSize& wanted, const Log& log) {
  enable_events(log);
  // The buckets first: a larger limit alone would only make the chains longer.
  for (const auto& [setting, least] : {std::pair("nf_conntrack_buckets", wanted.buckets),
                                       std::pair("nf_conntrack_max", wanted.max)})
    if (Status raised = raise(setting, least, log); !raised.ok()) return fail(raised.error());
  KernelTable table;
  table.max_sessions = number("net/netfilter/nf_conntrack_max");
  table.buckets = number("net/netfilter/nf_conntrack_buckets");
  if (table.max_sessions != 0 && table.buckets != 0 && table.buckets < table.max_sessions)
    log.warning(
        "conntrack-buckets",
        "a full conntrack table would hold more than one session a bucket, and become several "
        "times slower; run 'sysctl -w net.netfilter.nf_conntrack_buckets=" +
            std::to_string(table.max_sessions) + "' in the initial namespace",
        {{"nf_conntrack_buckets", table.buckets}, {"nf_conntrack_max", table.max_sessions}});
  return table;
}

}  // namespace hotpair::dpdk
