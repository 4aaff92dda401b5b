// How a box speaks and listens: sealed heartbeats on every path.
#include "agent/core/heartbeat_wire.hpp"
#include "agent/core/relay_rhythm.hpp"
#include "tests/sim/box.hpp"
#include "tests/sim/world.hpp"

namespace hotpair::simulation {
using namespace agent;

void Box::receive(PathId path, Bytes frame) {
  if (!agent_runs() || !config.paths[path].configured) return;
  if (path == kSessionSyncPath && !dataplane.alive) return;
  const Instant now = local_now();
  if (stalled_ || paused_) {
    // The socket's buffer: what does not fit is lost.
    if (unread_.size() < 400) {
      unread_.emplace_back(path, std::vector<std::uint8_t>(frame.begin(), frame.end()));
      unread_at_.push_back(clock.stamp(world_.timeline.now()));
    }
    return;
  }
  Duration stamp = clock.stamp(world_.timeline.now());
  if (!unread_at_.empty()) {
    stamp = unread_at_.front();
    unread_at_.pop_front();
  }
  const Instant heard_at = clock.heard_at(world_.timeline.now(), stamp);
  const auto opened = association_->open(path, frame, heard_);
  if (!opened.ok()) return mismatch(path, heard_, opened.error());
  const Heartbeat& heartbeat = decoded(Bytes(heard_).first(opened->body_size));
  if (path < kSessionSyncPath) direct_heard_ = now;
  peer_direct_silent_ = heartbeat.direct_silent;
  if (world_.other(*this).next_version) world_.note(Fact::next_version);
  if (heartbeat.protocol != config.protocol) world_.note(Fact::protocols_differed);
  if (!agree(config.protocol, heartbeat.protocol)) world_.note(Fact::no_common_protocol);
  deliver({now, HeartbeatReceived{path, heard_at, opened->new_association, heartbeat}});
}

const Heartbeat& Box::decoded(Bytes body) {
  if (!std::ranges::equal(body.subspan(kStampSize), decoded_body_)) {
    const auto heartbeat = decode_heartbeat(body);
    HOTPAIR_ASSERT(heartbeat.ok());
    decoded_ = *heartbeat;
    decoded_body_.assign(body.begin() + kStampSize, body.end());
  }
  read_stamp(body, decoded_);
  return decoded_;
}

void Box::mismatch(PathId path, Bytes body, const RejectedFrame& rejected) {
  using Kind = MismatchSeen::Kind;
  MismatchSeen seen;
  seen.path = path;
  seen.heard_at = local_now();
  seen.proven = rejected.proven;
  switch (rejected.reason) {
    case Rejection::wrong_group:
      seen.kind = Kind::wrong_group;
      break;
    case Rejection::wrong_password:
      seen.kind = Kind::wrong_password;
      break;
    case Rejection::same_chassis_id:
      seen.kind = Kind::same_chassis_id;
      break;
    case Rejection::wrong_path:
      seen.kind = Kind::wrong_path;
      break;
    case Rejection::not_echoed:
      seen.kind = Kind::not_associated;
      break;
    default:
      return;
  }
  if (rejected.proven) {
    const auto said = decode_heartbeat(body.first(rejected.body_size));
    if (said.ok()) seen.role = said->role;
  }
  seen.detail = std::string(to_string(rejected.reason)) + " " + std::to_string(rejected.value);
  deliver({seen.heard_at, seen});
}

void Box::beat() {
  if (!paused_) send_heartbeat(true);
  after(config.interval, [this] { beat(); });
}

namespace {

// Sections of kinds that are not taken yet, one of them empty.
std::size_t say_more(MutableBytes out) {
  ByteWriter writer(out);
  for (const std::uint8_t kind : {std::uint8_t{201}, std::uint8_t{202}}) {
    writer.u8(kind);
    writer.u8(0);
    writer.u16(kind == 201 ? 5 : 0);
    if (kind == 201) writer.put("extra");
  }
  return writer.size();
}

}  // namespace

void Box::send_heartbeat(bool on_beat) {
  const std::size_t said = encode_heartbeat(published_, said_);
  const std::size_t size = said + (next_version ? say_more(MutableBytes(said_).subspan(said)) : 0);
  const Duration age = stalled_ ? local_now() - loop_ran_ : Duration{};
  const bool silent = is_direct_silent(local_now() - direct_heard_, config.interval);
  stamp_heartbeat(said_, ++sequence_, static_cast<std::uint32_t>(to_us(age)), silent);
  const bool relayed =
      dataplane.alive && is_relayed(sequence_, on_beat, silent || peer_direct_silent_,
                                    config.interval, config.detection_time());
  for (PathId path = 0; path < kMaxPaths; ++path) {
    if (!config.paths[path].configured || (path == kSessionSyncPath && !relayed)) continue;
    const Bytes text = Bytes(said_).first(size);
    const std::size_t sealed = association_->seal(path, text, frame_);
    world_.network.send(index_, path, Bytes(frame_).first(sealed));
    if (const auto greeting = association_->greet(path, text, frame_))
      world_.network.send(index_, path, Bytes(frame_).first(*greeting));
  }
}

}  // namespace hotpair::simulation
