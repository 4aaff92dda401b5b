// Configuration sync as a companion: a thread that looks when something changed (inotify), now and
// then, and when the peer came back; on the primary it begins rounds, on the backup it tells the
// primary. What is decided is agent/core/config_sync's, what is done config_engine's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "agent/daemon/companion.hpp"
#include "agent/daemon/config_engine.hpp"
#include "agent/daemon/peer_link.hpp"
#include "platform/linux/directory_watch.hpp"
#include "platform/linux/event_loop.hpp"

namespace hotpair::daemon {

class ConfigSync final : public Companion {
 public:
  struct Needs {
    std::shared_ptr<PeerLink> link;
    sys::EventLoop& loop;
    std::string config_dir, state_dir;
    Log log;
  };
  explicit ConfigSync(Needs needs);
  ~ConfigSync() override;

  void configure(const config::Config& config, const NodePlan& plan) override;
  void follow(const PairView& pair) override;
  void add_status(nlohmann::json& status) const override;
  std::vector<std::string> warnings() const override;
  // Checksums of the paths that belong to logical systems, as of the last look. Outlives this; any
  // thread.
  std::function<std::map<std::string, std::string>()> parts() const;
  bool answer(const std::string& command, const nlohmann::json& request,
              const Answered& answered) override;

 private:
  struct Question {
    std::string action;
    Answered answered;
  };
  void serve();
  void wait(Instant until);
  void turn();
  void begin_round();
  void answer_waiting();
  nlohmann::json answer_to(const std::string& action);
  void watch(const agent::ConfigManifest& manifest);

  Needs needs_;
  std::shared_ptr<ConfigEngine> engine_;
  std::atomic<bool> enabled_{false}, primary_{false}, peer_alive_{false}, dirty_{true};
  std::atomic<bool> stopping_{false};
  std::shared_ptr<sys::FileDescriptor> wake_;  // an eventfd; sessions of the link use it too
  std::mutex mutex_;
  std::vector<Question> questions_;

  // The thread's own.
  sys::DirectoryWatch directories_;
  std::set<std::string> watched_;
  std::string seen_;  // checksum at the last look
  Instant next_look_{}, not_before_{};
  bool whole_watch_ = true;
  std::thread thread_;
};

}  // namespace hotpair::daemon
