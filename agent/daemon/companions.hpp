// All companions of one agent, spoken to as one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/event.hpp"
#include "agent/daemon/companion.hpp"
#include "agent/daemon/event_feed.hpp"
#include "agent/daemon/options.hpp"
#include "agent/daemon/shared_association.hpp"
#include "agent/daemon/worker.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/netlink_link.hpp"

namespace hotpair::daemon {

struct CompanionNeeds {
  sys::EventLoop& loop;
  Worker& disk;
  Worker& kernel;  // the one whose work a takeover waits for: nothing long
  const sys::LinkMonitor& links;
  const Options& options;
  SharedAssociation& association;
  Log log;
  std::shared_ptr<EventFeed> feed;
  std::function<void(const agent::PartitionsCompared&)> compared;  // in the main loop
};

class Companions {
 public:
  explicit Companions(std::vector<std::unique_ptr<Companion>> all) : all_(std::move(all)) {}

  void configure(const config::Config& config, const NodePlan& plan);
  void follow(const PairView& pair);  // cheap when nothing changed
  void add_status(nlohmann::json& status) const;
  void add_warnings(std::vector<std::string>& warnings) const;
  bool answer(const std::string& command, const nlohmann::json& request,
              const Companion::Answered& answered);

 private:
  std::vector<std::unique_ptr<Companion>> all_;
  std::optional<PairView> told_;
};

// The list of them: a new companion is one line here.
std::vector<std::unique_ptr<Companion>> make_companions(const CompanionNeeds& needs);

}  // namespace hotpair::daemon
