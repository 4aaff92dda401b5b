#include "agent/daemon/companions.hpp"

#include <algorithm>

#include "agent/daemon/cluster_network.hpp"
#include "agent/daemon/config_sync.hpp"
#include "agent/daemon/http_endpoints.hpp"
#include "agent/daemon/logical_systems.hpp"
#include "agent/daemon/management_access.hpp"
#include "agent/daemon/peer_companion.hpp"
#include "agent/daemon/route_sync.hpp"
#include "agent/daemon/ruleset_sync.hpp"
#include "agent/daemon/traps.hpp"
#include "agent/daemon/upgrade_notice.hpp"

namespace hotpair::daemon {

void Companions::configure(const config::Config& config, const NodePlan& plan) {
  for (const auto& companion : all_) companion->configure(config, plan);
}

void Companions::follow(const PairView& pair) {
  if (told_ == pair) return;
  told_ = pair;
  for (const auto& companion : all_) companion->follow(pair);
}

void Companions::add_status(nlohmann::json& status) const {
  for (const auto& companion : all_) companion->add_status(status);
}

void Companions::add_warnings(std::vector<std::string>& warnings) const {
  for (const auto& companion : all_)
    for (auto& warning : companion->warnings()) warnings.push_back(std::move(warning));
}

bool Companions::answer(const std::string& command, const nlohmann::json& request,
                        const Companion::Answered& answered) {
  return std::any_of(all_.begin(), all_.end(), [&](const auto& companion) {
    return companion->answer(command, request, answered);
  });
}

std::vector<std::unique_ptr<Companion>> make_companions(const CompanionNeeds& needs) {
  const auto link = std::make_shared<PeerLink>();
  const Options& options = needs.options;
  std::vector<std::unique_ptr<Companion>> all;
  all.push_back(std::make_unique<ClusterNetwork>(needs.association, needs.log));
  auto files = std::make_unique<ConfigSync>(
      ConfigSync::Needs{link, needs.loop, options.config_dir, options.state_dir, needs.log});
  auto checksums = files->parts();
  all.push_back(std::move(files));
  all.push_back(std::make_unique<RulesetSync>(
      RulesetSync::Needs{link, needs.loop, options.state_dir, options.run_dir, needs.log}));
  all.push_back(std::make_unique<RouteSync>(link, needs.log));
  all.push_back(std::make_unique<LogicalSystems>(link, needs.loop, needs.compared,
                                                 std::move(checksums), needs.log));
  all.push_back(std::make_unique<ManagementAccess>(options.run_dir, needs.log));
  all.push_back(std::make_unique<PeerCompanion>(
      link, needs.association, Folders{options.run_dir, options.state_dir}, needs.log));
  all.push_back(std::make_unique<UpgradeNotice>(link, options.state_dir, needs.log));
  all.push_back(std::make_unique<HttpEndpoints>(options.run_dir, needs.log));
  all.push_back(std::make_unique<Traps>(needs.feed, needs.log));
  return all;
}

}  // namespace hotpair::daemon
