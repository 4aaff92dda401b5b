#include "agent/core/cluster_channel.hpp"

#include "agent/core/frame_header.hpp"

namespace hotpair::agent {

void ClusterChannel::use(const std::optional<ChannelKeys>& keys) {
  receive_before_.reset();
  if (keys && (keys->own != own_ || keys->peers != peers_)) {
    own_ = keys->own;
    peers_ = keys->peers;
    windows_ = {};
  } else if (keys && keys_ && keys->receive != keys_->receive) {
    receive_before_ = keys_->receive;
  }
  keys_ = keys;
}

std::size_t ClusterChannel::seal(PathId path, Bytes inner, MutableBytes out) {
  HOTPAIR_ASSERT(ready() && path < kMaxPaths && inner.size() <= kMaxInnerFrame);
  const std::size_t size = kHeartbeatHeaderSize + inner.size() + kTagSize;
  HOTPAIR_ASSERT(out.size() >= size);
  FrameHeader h;
  h.kind = static_cast<std::uint8_t>(FrameKind::network);
  h.group = group_;
  h.sender = static_cast<std::uint8_t>(self_);
  h.path = path;
  h.sender_salt = keys_->own;
  h.echoed_salt = keys_->peers;
  h.counter = ++counters_[path];
  write_header(h, out);
  cipher_.seal(keys_->send, nonce_of(path, h.counter), out.first(kHeartbeatHeaderSize), inner,
               out.subspan(kHeartbeatHeaderSize, inner.size() + kTagSize));
  return size;
}

Result<std::size_t, Rejection> ClusterChannel::open(PathId path, Bytes frame, MutableBytes inner) {
  HOTPAIR_ASSERT(path < kMaxPaths && inner.size() >= kMaxInnerFrame);
  if (frame.size() < kHeartbeatHeaderSize + kTagSize) return fail(Rejection::too_short);
  if (frame.size() > kMaxClusterFrame) return fail(Rejection::too_long);
  const FrameHeader h = parse_header(frame);
  if (!h.magic_ok) return fail(Rejection::wrong_magic);
  if (h.version != kFrameVersion) return fail(Rejection::wrong_version);
  if (!h.reserved_ok) return fail(Rejection::reserved_bits);
  if (h.kind_of() != FrameKind::network) return fail(Rejection::unknown_kind);
  if (h.group != group_) return fail(Rejection::wrong_group);
  if (h.sender == static_cast<std::uint8_t>(self_)) return fail(Rejection::own_frame);
  if (h.sender != static_cast<std::uint8_t>(other(self_))) return fail(Rejection::bad_chassis_id);
  if (h.path != path) return fail(Rejection::wrong_path);
  if (!keys_ || h.echoed_salt != keys_->own) return fail(Rejection::not_echoed);
  if (h.sender_salt != keys_->peers) return fail(Rejection::stale_salt);
  const std::size_t size = frame.size() - kHeartbeatHeaderSize - kTagSize;
  if (!verify(frame, nonce_of(path, h.counter), inner.first(size)))
    return fail(Rejection::wrong_password);
  if (!windows_[path].accept(h.counter)) return fail(Rejection::replayed);
  return size;
}

bool ClusterChannel::verify(Bytes frame, const Nonce& nonce, MutableBytes inner) {
  const Bytes header = frame.first(kHeartbeatHeaderSize);
  const Bytes sealed = frame.subspan(kHeartbeatHeaderSize);
  return cipher_.open(keys_->receive, nonce, header, sealed, inner) ||
         (receive_before_ && cipher_.open(*receive_before_, nonce, header, sealed, inner));
}

}  // namespace hotpair::agent
