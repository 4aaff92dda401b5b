#include "agent/daemon/heartbeat_sender.hpp"

#include <algorithm>
#include <chrono>

#include <sys/prctl.h>

#include "agent/core/heartbeat_wire.hpp"
#include "agent/core/relay_rhythm.hpp"
#include "agent/daemon/ethernet_frame.hpp"
#include "dataplane/core/control.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"

namespace hotpair::daemon {
namespace {

constexpr std::size_t kFrameSize =
    agent::kHeartbeatHeaderSize + agent::kMaxBodySize + agent::kTagSize;
static_assert(kEthernetHeaderSize + kFrameSize <= 2048);

}  // namespace

HeartbeatSender::HeartbeatSender(Needs needs, Duration interval, Duration detection)
    : needs_(std::move(needs)), interval_ns_(interval.count()), detection_ns_(detection.count()) {
  thread_ = std::thread([this] { serve(); });
}

HeartbeatSender::~HeartbeatSender() {
  {
    const std::lock_guard lock(body_mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void HeartbeatSender::publish(const agent::Heartbeat& heartbeat, bool at_once) {
  std::array<std::uint8_t, agent::kMaxBodySize> bytes;
  const std::size_t size = agent::encode_heartbeat(heartbeat, bytes);
  {
    const std::lock_guard lock(body_mutex_);
    published_.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    wanted_at_once_ |= at_once;
  }
  if (at_once) wake_.notify_one();
}

void HeartbeatSender::set_timing(Duration interval, Duration detection) {
  interval_ns_ = interval.count();
  detection_ns_ = detection.count();
}

HeartbeatSender::Channel HeartbeatSender::replace(std::size_t path, Channel channel) {
  const std::lock_guard lock(channels_mutex_);
  std::swap(channels_[path], channel);
  return channel;
}

void HeartbeatSender::set_relay(std::shared_ptr<sys::UnixSocket> socket) {
  const std::lock_guard lock(channels_mutex_);
  relay_.swap(socket);
}

void HeartbeatSender::set_management(std::shared_ptr<const sys::UdpChannel> channel) {
  const std::lock_guard lock(channels_mutex_);
  management_.swap(channel);
}

HeartbeatSender::Counters HeartbeatSender::counters() const {
  return {beats_, errors_, relay_dropped_, stalls_, management_unsent_};
}

void HeartbeatSender::serve() {
  sys::set_thread_name("heartbeat");
  (void)sys::set_realtime_priority(kHeartbeatPriority);
  ::prctl(PR_SET_TIMERSLACK, 1);
  Instant next = sys::now();
  while (wait_until(next)) {
    const Instant now = sys::now();
    const bool on_beat = now >= next;
    if (may_speak(next, now)) beat(now, on_beat);
    if (!on_beat) continue;
    next += Duration(interval_ns_.load());
    if (next <= now) next = now + Duration(interval_ns_.load());
  }
}

bool HeartbeatSender::wait_until(Instant at) {
  // The C++ library waits for this clock by CLOCK_MONOTONIC, which Instant counts.
  const std::chrono::steady_clock::time_point until(at.time_since_epoch());
  std::unique_lock lock(body_mutex_);
  wake_.wait_until(lock, until, [this] { return wanted_at_once_ || stopping_; });
  wanted_at_once_ = false;
  return !stopping_;
}

bool HeartbeatSender::may_speak(Instant planned, Instant now) {
  if (now - planned > Duration(detection_ns_.load())) {
    silent_until_after_ = now;
    ++stalls_;
  }
  if (silent_until_after_ && needs_.loop_tick() <= *silent_until_after_) return false;
  silent_until_after_.reset();
  return true;
}

bool HeartbeatSender::direct_silent(Instant now) const {
  const Instant heard{Duration(direct_heard_ns_.load())};
  return agent::is_direct_silent(now - heard, Duration(interval_ns_.load()));
}

bool HeartbeatSender::relays(bool direct_silent, bool on_beat) const {
  return agent::is_relayed(sequence_, on_beat, direct_silent || peer_direct_silent_.load(),
                           Duration(interval_ns_.load()), Duration(detection_ns_.load()));
}

void HeartbeatSender::beat(Instant now, bool on_beat) {
  std::array<std::uint8_t, agent::kMaxBodySize> body;
  std::size_t size = 0;
  {
    const std::lock_guard lock(body_mutex_);
    size = published_.size();
    std::copy(published_.begin(), published_.end(), body.begin());
  }
  if (size == 0) return;  // nothing was ever published
  const std::int64_t age = std::clamp<std::int64_t>(to_us(now - needs_.loop_tick()), 0, UINT32_MAX);
  const bool silent = direct_silent(now);
  agent::stamp_heartbeat(MutableBytes(body).first(size), ++sequence_,
                         static_cast<std::uint32_t>(age), silent);
  ++beats_;
  const std::lock_guard lock(channels_mutex_);
  for (std::size_t path = 0; path < needs_.paths.size(); ++path)
    if (channels_[path].pcap) send_on(path, Bytes(body).first(size));
  if (relay_ && relays(silent, on_beat)) relay(Bytes(body).first(size));
  if (management_) send_management(Bytes(body).first(size));
}

void HeartbeatSender::send_on(std::size_t path, Bytes body) {
  const auto id = static_cast<agent::PathId>(path);
  const MutableBytes room = MutableBytes(frame_).subspan(kEthernetHeaderSize);
  const std::size_t sealed =
      needs_.association.with([&](auto& association) { return association.seal(id, body, room); });
  put_on_wire(path, channels_[path], sealed);
  const auto greeting =
      needs_.association.with([&](auto& association) { return association.greet(id, body, room); });
  if (greeting) put_on_wire(path, channels_[path], *greeting);
}

void HeartbeatSender::put_on_wire(std::size_t path, Channel& channel, std::size_t frame_size) {
  const HeartbeatPath& config = needs_.paths[path];
  write_ethernet_header(
      {heartbeat_destination(needs_.group), channel.source, config.vlan, config.ethertype}, frame_);
  if (!channel.pcap->send(Bytes(frame_).first(kEthernetHeaderSize + frame_size))) ++errors_;
}

void HeartbeatSender::relay(Bytes body) {
  namespace control = dataplane::control;
  const auto send = [&](std::size_t size) {
    const control::SendRelay message{
        {frame_.begin(), frame_.begin() + static_cast<std::ptrdiff_t>(size)}};
    if (relay_->send(control::encode(control::ToDataplane(message))) !=
        sys::UnixSocket::Outcome::done)
      ++relay_dropped_;
  };
  send(needs_.association.with(
      [&](auto& association) { return association.seal(agent::kSessionSyncPath, body, frame_); }));
  const auto greeting = needs_.association.with(
      [&](auto& association) { return association.greet(agent::kSessionSyncPath, body, frame_); });
  if (greeting) send(*greeting);
}

void HeartbeatSender::send_management(Bytes body) {
  const auto send = [&](std::size_t size) {
    if (!management_->send(Bytes(frame_).first(size))) ++management_unsent_;
  };
  send(needs_.association.with(
      [&](auto& association) { return association.seal(agent::kManagementPath, body, frame_); }));
  const auto greeting = needs_.association.with(
      [&](auto& association) { return association.greet(agent::kManagementPath, body, frame_); });
  if (greeting) send(*greeting);
}

}  // namespace hotpair::daemon
