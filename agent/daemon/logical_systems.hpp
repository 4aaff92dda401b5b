// Logical systems in the status, as a companion: what of each this node has, what the peer has, and
// an alarm where one lacks what the other would need after a takeover. The nodes tell each other
// over the cluster network (service 4): the one that asks sends {type 1, its list}, the other
// answers {type 2, its list}, as JSON (partition_json.hpp).
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/event.hpp"
#include "agent/core/partition.hpp"
#include "agent/daemon/companion.hpp"
#include "agent/daemon/peer_link.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/loop_thread.hpp"

namespace hotpair::daemon {

class LogicalSystems final : public Companion {
 public:
  // What a node lacks of the other's is told in `loop`, whenever it changes.
  using Compared = std::function<void(const agent::PartitionsCompared&)>;
  using Checksums = std::function<std::map<std::string, std::string>()>;  // by path
  LogicalSystems(std::shared_ptr<PeerLink> link, sys::EventLoop& loop, Compared compared,
                 Checksums checksums, Log log);
  ~LogicalSystems() override;

  void configure(const config::Config& config, const NodePlan& plan) override;
  void follow(const PairView& pair) override;
  void add_status(nlohmann::json& status) const override;
  std::vector<std::string> warnings() const override;

 private:
  // Outlives the companion where a connection of the peer's still uses it.
  struct Shared {
    mutable std::mutex mutex;
    std::vector<agent::Partition> wanted;                   // as configured
    std::map<std::string, std::vector<std::string>> paths;  // by partition
    std::map<std::string, std::string> devices;
    Checksums checksums;
    // What differed at the last look, and what did at the one before as well: a change that is on
    // its way differs for a moment.
    std::vector<std::string> differs, still_differs;
    std::vector<agent::Partition> own;                  // as found
    std::optional<std::vector<agent::Partition>> peer;  // as told
  };
  static void look(Shared& shared);
  static void serve_peer(Shared& shared, sys::FileDescriptor socket);
  void start();
  void turn();  // in the thread, as ask() and say()
  void ask();
  void say();
  void compare();

  std::shared_ptr<PeerLink> link_;
  sys::EventLoop& loop_;
  Compared compared_;
  Log log_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::atomic<bool> stopping_{false}, enabled_{false}, peer_alive_{false};
  std::pair<std::string, std::string> told_;  // the thread's own: lacking here, there
  std::vector<std::string> said_;             // the thread's own: alarms that were logged
  sys::TimerId timer_ = 0;                    // the thread's own
  std::unique_ptr<sys::LoopThread> thread_;
};

}  // namespace hotpair::daemon
