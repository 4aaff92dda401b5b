// The ruleset and its sets following the primary live, as a companion: a thread that hears of the
// kernel's changes and does what the engine finds due.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "agent/daemon/companion.hpp"
#include "agent/daemon/peer_link.hpp"
#include "agent/daemon/ruleset_engine.hpp"
#include "platform/linux/loop_thread.hpp"

namespace hotpair::daemon {

class RulesetSync final : public Companion {
 public:
  struct Needs {
    std::shared_ptr<PeerLink> link;
    sys::EventLoop& loop;  // where requests are answered
    std::string state_dir, run_dir;
    Log log;
  };
  explicit RulesetSync(Needs needs) : needs_(std::move(needs)) {}
  ~RulesetSync() override;

  void configure(const config::Config& config, const NodePlan& plan) override;
  void follow(const PairView& pair) override;
  void add_status(nlohmann::json& status) const override;
  std::vector<std::string> warnings() const override;
  bool answer(const std::string& command, const nlohmann::json& request,
              const Answered& answered) override;

 private:
  bool start();
  void turn();  // in the thread, as what follows
  void on_heard();
  nlohmann::json answer_to(const std::string& action);

  Needs needs_;
  RulesetRules rules_;
  std::shared_ptr<RulesetEngine> engine_;  // none until something is wanted
  std::atomic<bool> stopping_{false}, wanted_{false}, primary_{false}, peer_alive_{false};
  std::optional<sys::NftablesWatch> watch_;  // the thread's own, as the next
  sys::TimerId timer_ = 0;
  std::unique_ptr<sys::LoopThread> thread_;
};

}  // namespace hotpair::daemon
