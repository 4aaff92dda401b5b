// What a rolling upgrade (`hotpair upgrade`) left in the state directory, for the status of the
// node that drives it and of the other one: people ask there what goes on. No agent takes part in
// an upgrade, and none decides otherwise for it.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "agent/daemon/companion.hpp"
#include "agent/daemon/peer_link.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/loop_thread.hpp"

namespace hotpair::daemon {

// What the files of <state-dir>/upgrade say.
struct UpgradeFiles {
  std::string run, claim;  // run.json and claim; empty: there is none
  bool driven = false;     // a `hotpair upgrade` of this node drives it this moment
  std::string touched;     // when run.json was written: "2026-03-01T12:00:00Z"
};
// Null: none goes on. Else state (running, stopped, cut off, aborting, elsewhere), driver, began,
// and of the node that drives: command, step, of, title, step_since, why, next.
nlohmann::json upgrade_json(const UpgradeFiles& files);
// What the node that drives says of its run, in the notice of the other one: at_driver (its state),
// step, of, title, step_since, why.
void add_drivers(nlohmann::json& notice, const nlohmann::json& drivers);

// Looks at the files each second, in a thread of its own: they may be on a slow disk. The node that
// does not drive asks the other one over the cluster network (service 6), which sends {type 1, its
// notice} as JSON.
class UpgradeNotice final : public Companion {
 public:
  UpgradeNotice(std::shared_ptr<PeerLink> link, std::string state_dir, Log log)
      : link_(std::move(link)), folder_(std::move(state_dir) + "/upgrade"), log_(std::move(log)) {}
  ~UpgradeNotice() override;

  void configure(const config::Config& config, const NodePlan& plan) override;
  void follow(const PairView& /*pair*/) override {}
  void add_status(nlohmann::json& status) const override;
  std::vector<std::string> warnings() const override;

 private:
  // Outlives the companion where a connection of the peer's still uses it.
  struct Shared {
    std::mutex mutex;
    nlohmann::json found;
  };
  void look();  // in the thread, as ask()
  void ask(nlohmann::json& notice);

  std::shared_ptr<PeerLink> link_;
  std::string folder_;
  Log log_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  Instant ask_again_{};  // the thread's own
  std::unique_ptr<sys::LoopThread> thread_;
};

}  // namespace hotpair::daemon
