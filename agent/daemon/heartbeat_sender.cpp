#include "agent/daemon/heartbeat_sender.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/core/heartbeat_wire.hpp"
#include "agent/core/relay_rhythm.hpp"
#include "agent/daemon/ethernet_frame.hpp"
#include "dataplane/core/control.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

constexpr std::size_t kFrameSize =
    agent::kHeartbeatHeaderSize + agent::kMaxBodySize + agent::kTagSize;
static_assert(kEthernetHeaderSize + kFrameSize <= 2048);

timespec to_timespec(Duration d) {
  return {static_cast<time_t>(d.count() / 1'000'000'000),
          static_cast<long>(d.count() % 1'000'000'000)};
}

}  // namespace

Result<std::unique_ptr<HeartbeatSender>> HeartbeatSender::start(Needs needs, Duration interval,
                                                                Duration detection) {
  sys::FileDescriptor wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake) return sys::fail_errno("cannot make the heartbeat thread's eventfd", errno);
  auto sender = std::unique_ptr<HeartbeatSender>(
      new HeartbeatSender(std::move(needs), std::move(wake), interval, detection));
  sender->thread_ = std::thread([raw = sender.get()] { raw->serve(); });
  return sender;
}

HeartbeatSender::HeartbeatSender(Needs needs, sys::FileDescriptor wake, Duration interval,
                                 Duration detection)
    : needs_(std::move(needs)),
      wake_(std::move(wake)),
      interval_ns_(interval.count()),
      detection_ns_(detection.count()) {}

HeartbeatSender::~HeartbeatSender() {
  stopping_ = true;
  ::eventfd_write(wake_.get(), 1);
  if (thread_.joinable()) thread_.join();
}

void HeartbeatSender::publish(const agent::Heartbeat& heartbeat, bool at_once) {
  std::array<std::uint8_t, agent::kMaxBodySize> bytes;
  const std::size_t size = agent::encode_heartbeat(heartbeat, bytes);
  {
    const std::lock_guard lock(body_mutex_);
    published_.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
  }
  if (at_once) ::eventfd_write(wake_.get(), 1);
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
  const timespec timeout = to_timespec(std::max(Duration::zero(), at - sys::now()));
  pollfd waited{wake_.get(), POLLIN, 0};
  if (::ppoll(&waited, 1, &timeout, nullptr) > 0) {
    eventfd_t count = 0;
    ::eventfd_read(wake_.get(), &count);
  }
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
