// In what the two boxes differ that should be alike: MTUs, kernel settings, modules, versions.
#include "tools/ctl/doctor/pair_checks.hpp"
#include "tools/ctl/json_access.hpp"
#include "tools/ctl/style.hpp"

namespace hotpair::ctl {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostNamed = 4;

bool is_mtu(const Json& fact) {
  return text(fact, "name").starts_with("interface ") && text(fact, "own").starts_with("mtu ") &&
         text(fact, "peer").starts_with("mtu ");
}

void add_mtu(const Json& fact, Report& report) {
  const std::string own = text(fact, "own"), peer = text(fact, "peer");
  report.add({"pair.mtu-differs", Severity::problem,
              text(fact, "name") + " has " + own + " here and " + peer + " at the peer",
              "it was set on one node: what fits one is too big for the other, and connections "
              "stand still after a takeover",
              "ip link set DEVICE " + own + " there, or " + peer +
                  " here; keep it where the interfaces are configured"});
}

}  // namespace

void check_facts(const Json& answer, Report& report) {
  if (!child(answer, "facts").is_array()) return;
  std::string names;
  std::size_t mtus = 0, others = 0;
  for (const Json& fact : child(answer, "facts")) {
    const std::string name = text(fact, "name");
    if (name == "version of hotpaird") continue;  // pair.version-differs
    if (is_mtu(fact)) {
      ++mtus;
      add_mtu(fact, report);
    } else if (++others <= kMostNamed) {
      names += (names.empty() ? "" : ", ") + name;
    }
  }
  if (mtus == 0) report.well("pair.mtu-differs");
  if (others == 0) return report.well("pair.boxes-differ");
  if (others > kMostNamed) names += ", …";
  report.add({"pair.boxes-differ", Severity::warning,
              "the two boxes differ in " + spoken_count(others) +
                  " settings, modules or versions: " + names,
              "one was set up or upgraded otherwise: after a takeover traffic may be treated "
              "otherwise",
              "hotpair config diff"});
}

}  // namespace hotpair::ctl
