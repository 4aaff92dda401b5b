#include "agent/daemon/heartbeat_receiver.hpp"

#include <cstdio>

#include "agent/core/heartbeat_wire.hpp"
#include "platform/base/event_catalog.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

using agent::Rejection;

std::string hex(std::uint16_t value) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%04x", value);
  return text;
}

std::optional<agent::Role> role_in(Bytes body) {
  if (body.empty()) return std::nullopt;
  const auto heartbeat = agent::decode_heartbeat(body);
  if (!heartbeat) return std::nullopt;
  return heartbeat->role;
}

}  // namespace

void HeartbeatReceiver::on_frame(agent::PathId path, const sys::FrameView& frame) {
  const Origin origin{path, frame.heard_at, frame.source};
  const HeartbeatPath& ours = paths_[path];
  if (frame.tags == 1 && frame.vlan == ours.vlan && frame.ethertype == ours.ethertype) {
    open(origin, frame.payload);
  } else {
    wrong_envelope(origin, frame);
  }
}

void HeartbeatReceiver::on_relay(Instant heard_at, Bytes frame) {
  open({agent::kSessionSyncPath, heard_at, std::nullopt}, frame);
}

void HeartbeatReceiver::on_management(Instant heard_at, Bytes frame) {
  open({agent::kManagementPath, heard_at, std::nullopt}, frame);
}

void HeartbeatReceiver::open(const Origin& origin, Bytes frame) {
  const auto opened = needs_.association.with(
      [&](agent::Association& association) { return association.open(origin.path, frame, body_); });
  if (opened) {
    accept(origin, opened->new_association, Bytes(body_).first(opened->body_size));
  } else {
    reject(origin, opened.error());
  }
}

void HeartbeatReceiver::accept(const Origin& origin, bool new_association, Bytes body) {
  auto heartbeat = agent::decode_heartbeat(body);
  if (!heartbeat) {
    needs_.association.with(
        [](auto& association) { association.count(Rejection::malformed_body); });
    needs_.log.warning("heartbeat-malformed",
                       "an authentic heartbeat on " + name_of(origin.path) +
                           " cannot be read; run the same version of hotpair on both nodes",
                       {{"source", source_of(origin)}});
    return;
  }
  jitter_[origin.path].heard(heartbeat->sequence, origin.heard_at, needs_.interval());
  needs_.emit(agent::HeartbeatReceived{origin.path, origin.heard_at, new_association, *heartbeat});
  needs_.heard(origin.path, *heartbeat);
}

void HeartbeatReceiver::reject(const Origin& origin, const agent::RejectedFrame& rejected) {
  mismatch(origin, rejected.reason, rejected.proven, Bytes(body_).first(rejected.body_size),
           describe(rejected) + ", from " + source_of(origin));
}

// A frame in another envelope is never a heartbeat, but if it verifies it is our peer, configured
// wrongly; and one that does not, and names our group, may be. Those of other groups are clusters
// on the same trunk.
void HeartbeatReceiver::wrong_envelope(const Origin& origin, const sys::FrameView& frame) {
  constexpr std::size_t kGroupOffset = 4;  // in the destination address 03:48:50:00:gg:gg
  const HeartbeatPath& ours = paths_[origin.path];
  const Rejection reason = frame.ethertype != ours.ethertype ? Rejection::wrong_ethertype
                           : frame.tags == 0                 ? Rejection::untagged
                                                             : Rejection::wrong_vlan;
  const auto proven = needs_.association.with([&](agent::Association& association) {
    association.count(reason);
    return association.inspect(frame.payload, body_);
  });
  const bool our_group = load_be<std::uint16_t>(frame.destination.data() + kGroupOffset) == group_;
  if (!proven && !our_group) return;
  const std::string found =
      reason == Rejection::wrong_ethertype
          ? "ethertype " + hex(frame.ethertype) + ", ours is " + hex(ours.ethertype)
          : (frame.tags == 0 ? "no VLAN tag" : "VLAN " + std::to_string(frame.vlan.value_or(0))) +
                ", ours is " + std::to_string(ours.vlan);
  mismatch(origin, reason, proven.has_value(), Bytes(body_).first(proven.value_or(0)),
           found + ", from " + source_of(origin));
}

void HeartbeatReceiver::mismatch(const Origin& origin, Rejection reason, bool proven, Bytes body,
                                 const std::string& detail) {
  const auto kind = mismatch_kind(reason);
  if (!kind && !needs_an_operator(reason)) return;
  const std::string interface = name_of(origin.path);
  const auto verdict = table_.note({reason, origin.path, interface, detail, sys::now()},
                                   needs_an_operator(reason) ? sys::wall_clock_text() : "");
  if (verdict.log && needs_an_operator(reason))
    needs_.log.warning("heartbeat-mismatch",
                       "refused a heartbeat on " + interface + ": " + detail + "; " +
                           std::string(advice_for(reason)),
                       {{"kind", agent::to_string(reason)},
                        {"mismatch_id", event_id(event_of_mismatch(agent::to_string(reason)))},
                        {"interface", interface},
                        {"count", verdict.since_last_log}});
  if (!verdict.tell_node || !kind || origin.path >= agent::kSessionSyncPath) return;
  needs_.emit(agent::MismatchSeen{origin.path, origin.heard_at, *kind, proven, role_in(body),
                                  std::string_view(detail)});
}

std::string HeartbeatReceiver::describe(const agent::RejectedFrame& rejected) const {
  const std::string value = std::to_string(rejected.value);
  switch (rejected.reason) {
    case Rejection::wrong_group:
      return "group " + value + ", ours is " + std::to_string(group_);
    case Rejection::wrong_password:
      return "another password";
    case Rejection::wrong_version:
      return "protocol version " + value;
    case Rejection::same_chassis_id:
      return "chassis_id " + value + " is ours too";
    case Rejection::wrong_path:
      return "it was sent on the peer's heartbeat interface " + value;
    case Rejection::own_frame:
      return "our own frame came back";
    default:
      return std::string(agent::to_string(rejected.reason));
  }
}

// For people; made only when somebody is to read it.
std::string HeartbeatReceiver::source_of(const Origin& origin) {
  if (origin.station) return sys::to_text(*origin.station);
  return origin.path == agent::kManagementPath ? "the management network" : "the session-sync port";
}

std::string HeartbeatReceiver::name_of(agent::PathId path) const {
  if (path == agent::kManagementPath) return "the management path";
  return path < paths_.size() ? paths_[path].device : "the session-sync port";
}

}  // namespace hotpair::daemon
