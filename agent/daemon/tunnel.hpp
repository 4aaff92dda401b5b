// The thread behind the cluster network's device: it takes frames out of the TAP, seals them and
// sends them on the chosen heartbeat interface, and the other way. It has captures of its own, so a
// heartbeat never stands in a queue behind data, and an ordinary priority, so a heartbeat never
// waits for the CPU either. What exceeds the rate waits in the TAP's queue, which the kernel
// bounds.
//
// It makes the device itself and opens interfaces as they come, which may wait for the kernel.
// Other threads hand it keys, path and rate, and look at its counters.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/core/cluster_channel.hpp"
#include "agent/daemon/cipher.hpp"
#include "agent/daemon/node_config.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/pcap_channel.hpp"
#include "platform/linux/tap.hpp"

namespace hotpair::daemon {

constexpr const char* kClusterDevice = "hotpair0";

class Tunnel {
 public:
  struct Needs {
    agent::ChassisId self = agent::ChassisId::one;
    std::uint16_t group = 0;
    std::vector<HeartbeatPath> paths;
    std::uint64_t bytes_per_second = 0;
    Log log;
  };
  // Why a frame of either direction was dropped, beside what the channel and the judge say.
  enum class Drop : std::uint8_t { no_path, send_failed, device_down, count_ };
  struct View {
    bool up = false;
    std::string problem;  // why it is not; empty when it is
    std::uint32_t mtu = 0;
    std::uint64_t frames_sent = 0, bytes_sent = 0, frames_received = 0, bytes_received = 0;
    std::vector<std::pair<std::string, std::uint64_t>> dropped;  // those that are not zero
  };

  static Result<std::unique_ptr<Tunnel>> start(Needs needs);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  void use_keys(const std::optional<agent::ChannelKeys>& keys);
  void use_path(std::optional<agent::PathId> path);
  void set_rate(std::uint64_t bytes_per_second);
  View view() const;

 private:
  struct Port {
    HeartbeatPath path;
    std::unique_ptr<sys::PcapChannel> pcap;
    sys::DeviceFacts facts;
  };
  struct Orders {  // what other threads want
    std::optional<std::optional<agent::ChannelKeys>> keys;
    std::optional<agent::PathId> path;
    std::uint64_t bytes_per_second = 0;
  };
  template <typename E>
  using Counters = std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(E::count_)>;

  Tunnel(Needs needs, sys::FileDescriptor wake);
  void serve();
  void take_orders();
  void open_what_is_closed(Instant now);
  Status open_device();
  Status give_addresses();
  Status open_port(Port& port);
  void fit_mtu();
  void wait(Instant now);
  void send_waiting();
  bool send_one(Bytes inner);
  void receive_on(std::size_t path);
  void take(std::size_t path, const sys::FrameView& frame);
  void set_problem(const std::string& problem);
  template <typename E>
  static void count(Counters<E>& counters, E reason) {
    ++counters[static_cast<std::size_t>(reason)];
  }

  Needs needs_;
  sys::FileDescriptor wake_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> up_{false};
  std::atomic<std::uint32_t> mtu_{agent::kMaxClusterMtu};
  std::atomic<std::uint64_t> frames_sent_{0}, bytes_sent_{0}, frames_received_{0},
      bytes_received_{0};
  Counters<Drop> drops_{};
  Counters<agent::InnerDrop> refused_out_{}, refused_in_{};
  Counters<agent::Rejection> rejected_{};

  mutable std::mutex mutex_;
  Orders orders_;
  std::string problem_ = "it is being made";

  // The thread's own.
  PasswordCipher cipher_;
  agent::ClusterChannel channel_;
  agent::ClusterAddress own_, peers_;
  agent::TokenBucket bucket_;
  std::optional<agent::PathId> path_;
  std::optional<sys::Tap> tap_;
  std::vector<Port> ports_;
  Instant retry_at_{};
  std::optional<std::size_t> held_;  // a frame that the rate holds back, in `held_frame_`
  Instant held_until_{};
  std::array<std::uint8_t, agent::kMaxInnerFrame + 1> held_frame_{}, inner_{};
  std::array<std::uint8_t, 2048> outer_{};
  std::thread thread_;
};

std::string_view to_string(Tunnel::Drop reason);

}  // namespace hotpair::daemon
