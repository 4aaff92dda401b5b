// The thread that speaks: on an absolute beat it stamps, seals and sends the last published
// heartbeat on every path. It says how long ago the main loop ran, so a peer is never told
// "primary" by a node whose main loop is dead.
//
// After its own stall beyond the detection time it is silent until the main loop has run: what it
// would say may no longer be true, and the main loop knows (promise 7 of agent/daemon/README.md).
// Other threads publish, replace channels and wake it; it never waits for them.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "agent/core/heartbeat.hpp"
#include "agent/daemon/node_config.hpp"
#include "agent/daemon/shared_association.hpp"
#include "platform/linux/pcap_channel.hpp"
#include "platform/linux/udp_channel.hpp"
#include "platform/linux/unix_socket.hpp"

namespace hotpair::daemon {

constexpr int kHeartbeatPriority = 50;

class HeartbeatSender {
 public:
  struct Needs {
    SharedAssociation& association;
    std::function<Instant()> loop_tick;  // when the main loop last ran; any thread
    std::vector<HeartbeatPath> paths;
    std::uint16_t group = 0;
  };
  struct Channel {  // of one heartbeat interface
    std::unique_ptr<sys::PcapChannel> pcap;
    sys::MacAddress source{};
  };
  struct Counters {
    std::uint64_t beats = 0, errors = 0, relay_dropped = 0, stalls = 0;
    std::uint64_t management_unsent = 0;
  };

  HeartbeatSender(Needs needs, Duration interval, Duration detection);  // starts the thread
  ~HeartbeatSender();
  HeartbeatSender(const HeartbeatSender&) = delete;
  HeartbeatSender& operator=(const HeartbeatSender&) = delete;

  // What is said from now on; `at_once` does not wait for the beat.
  void publish(const agent::Heartbeat& heartbeat, bool at_once);
  void set_timing(Duration interval, Duration detection);
  // Returns the channel that was there, for the caller to close where closing may block.
  Channel replace(std::size_t path, Channel channel);
  // The data plane's socket; null: none. Kept open for as long as the thread uses it.
  void set_relay(std::shared_ptr<sys::UnixSocket> socket);
  // The peer was heard on a direct path: the session-sync path need not carry every beat.
  void direct_heard(Instant at) { direct_heard_ns_ = at.time_since_epoch().count(); }
  // Whether the peer's newest word is that it hears nothing on them (Heartbeat::direct_silent).
  void peer_is_direct_silent(bool silent) { peer_direct_silent_ = silent; }
  // The management path; null: none. It may fail to send for as long as its network is not there.
  void set_management(std::shared_ptr<const sys::UdpChannel> channel);
  Counters counters() const;

 private:
  void serve();
  bool wait_until(Instant at);  // false: told to stop
  bool may_speak(Instant planned, Instant now);
  void beat(Instant now, bool on_beat);
  bool direct_silent(Instant now) const;
  bool relays(bool direct_silent, bool on_beat) const;
  void send_on(std::size_t path, Bytes body);
  void relay(Bytes body);
  void send_management(Bytes body);
  void put_on_wire(std::size_t path, Channel& channel, std::size_t frame_size);

  Needs needs_;
  std::atomic<std::int64_t> interval_ns_, detection_ns_;
  std::atomic<std::int64_t> direct_heard_ns_{0};
  std::atomic<bool> peer_direct_silent_{false};
  std::atomic<std::uint64_t> beats_{0}, errors_{0}, relay_dropped_{0}, stalls_{0},
      management_unsent_{0};

  std::mutex body_mutex_;  // held for a copy of 1400 bytes; guards the next four
  std::condition_variable wake_;
  bool wanted_at_once_ = false, stopping_ = false;
  std::vector<std::uint8_t> published_;

  std::mutex channels_mutex_;  // held by the thread while it sends (which never blocks)
  std::array<Channel, agent::kMaxPaths> channels_;
  std::shared_ptr<sys::UnixSocket> relay_;
  std::shared_ptr<const sys::UdpChannel> management_;

  // The thread's own.
  std::uint64_t sequence_ = 0;
  std::optional<Instant> silent_until_after_;
  std::array<std::uint8_t, 2048> frame_{};
  std::thread thread_;
};

}  // namespace hotpair::daemon
