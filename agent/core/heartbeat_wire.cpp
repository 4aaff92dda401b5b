#include "agent/core/heartbeat_wire.hpp"

namespace hotpair::agent {
namespace {

// The fixed section; WIRE.md has the diagram. It never grows: what is new becomes a section of its
// own, which an older receiver skips.
constexpr std::size_t kSequenceAt = 0;
constexpr std::size_t kLoopAgeAt = 8;
static_assert(kLoopAgeAt + sizeof(std::uint32_t) == kStampSize);
constexpr std::size_t kFlagsAt = 13;
constexpr std::size_t kFixedSize = 128;

constexpr std::uint8_t kLeaving = 1u << 0;
constexpr std::uint8_t kDualPrimarySeen = 1u << 1;
constexpr std::uint8_t kDataplaneAlive = 1u << 2;
constexpr std::uint8_t kInSync = 1u << 3;
constexpr std::uint8_t kManagementLink = 1u << 4;
constexpr std::uint8_t kDirectSilent = 1u << 5;
constexpr std::uint8_t kKnownFlags = 0x3f;

enum class Section : std::uint8_t {
  serial = 1,
  hostname = 2,
  version = 3,
  role_reason = 4,
  lost_interface = 5,
  refusal = 6,
  table_epoch = 7,
  remote_monitors = 8,
  failed_module = 12,
  password_use = 13,
  maintenance = 14,
  protocol = 15,
};
constexpr std::size_t kSectionHeaderSize = 4;
constexpr std::size_t kRemoteMonitorsSize = 8;
constexpr std::size_t kPasswordUseSize = 24;
constexpr std::size_t kProtocolSize = 2;

constexpr std::size_t kLargestBody = kFixedSize + 11 * kSectionHeaderSize + 32 + 64 + 32 + 200 +
                                     160 + 8 + 96 + kRemoteMonitorsSize + kPasswordUseSize +
                                     kProtocolSize + 8 * (kSectionHeaderSize + 48);
static_assert(kLargestBody <= kMaxBodySize);

std::uint8_t flags_of(const Heartbeat& h) {
  unsigned flags = 0;
  if (h.leaving) flags |= kLeaving;
  if (h.dual_primary_seen) flags |= kDualPrimarySeen;
  if (h.replication.dataplane_alive) flags |= kDataplaneAlive;
  if (h.replication.in_sync) flags |= kInSync;
  if (h.health.management_link) flags |= kManagementLink;
  if (h.direct_silent) flags |= kDirectSilent;
  return static_cast<std::uint8_t>(flags);
}

void encode_fixed(const Heartbeat& h, ByteWriter& out) {
  out.u64(h.sequence);
  out.u32(h.loop_age_us);
  out.u8(static_cast<std::uint8_t>(h.role));
  out.u8(flags_of(h));
  // Whoever does not know maintenance takes it for what it is nearest to.
  const Forced forced = h.health.forced == Forced::maintenance ? Forced::backup : h.health.forced;
  out.u8(static_cast<std::uint8_t>(forced));
  out.u8(static_cast<std::uint8_t>(h.ask_cause));
  out.u64(h.epoch.number);
  out.u64(h.health.bandwidth_mbps);
  out.u64(h.health.full_bandwidth_mbps);
  out.u16(h.health.good_lags);
  out.u16(h.health.full_lags);
  out.u8(h.health.failed_modules);
  out.u8(h.paths_alive);
  out.u8(static_cast<std::uint8_t>(h.invite_cause));
  out.zeros(1);
  out.u32(h.health.uptime_s);
  out.u32(h.health.priority);
  out.u32(h.health_version);
  out.u32(h.peer_health_version);
  out.u32(h.ask_round);
  out.u32(h.grant_round);
  out.u32(h.invite_round);
  out.u32(h.refuse_round);
  out.u64(h.replication.sessions);
  out.u64(h.replication.lag_sessions);
  out.u32(h.replication.lag_us);
  out.zeros(4);
  out.u64(h.cluster_digest);
  out.put(Bytes(h.dataplane_nonce));
}

template <std::size_t N>
void encode_text(Section kind, const ShortText<N>& text, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(kind));
  out.zeros(1);
  out.u16(text.size);
  out.put(text.view());
}

void encode_table_epoch(Epoch epoch, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(Section::table_epoch));
  out.zeros(1);
  out.u16(sizeof(epoch.number));
  out.u64(epoch.number);
}

void encode_remote_monitors(const HealthVector& health, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(Section::remote_monitors));
  out.zeros(1);
  out.u16(kRemoteMonitorsSize);
  out.u32(health.remote_known);
  out.u32(health.remote_reached);
}

void encode_password_use(const PasswordUse& use, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(Section::password_use));
  out.zeros(1);
  out.u16(kPasswordUseSize);
  out.u64(use.round);
  out.u64(use.used);
  out.u64(use.other);
}

void encode_maintenance(ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(Section::maintenance));
  out.zeros(1);
  out.u16(0);
}

void encode_protocol(const ProtocolRange& range, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(Section::protocol));
  out.zeros(1);
  out.u16(kProtocolSize);
  out.u8(range.lowest);
  out.u8(range.highest);
}

bool read_enums(std::uint8_t role, std::uint8_t forced, std::uint8_t ask, std::uint8_t invite,
                Heartbeat& h) {
  constexpr auto kLastRole = static_cast<std::uint8_t>(Role::fault);
  constexpr auto kLastCause = static_cast<std::uint8_t>(Heartbeat::AskCause::operator_forced);
  constexpr auto kForcedBackup = static_cast<std::uint8_t>(Forced::backup);
  if (role > kLastRole || ask > kLastCause || invite > kLastCause) return false;
  if (forced > 1 && forced != kForcedBackup) return false;
  h.role = static_cast<Role>(role);
  h.ask_cause = static_cast<Heartbeat::AskCause>(ask);
  h.invite_cause = static_cast<Heartbeat::AskCause>(invite);
  h.health.forced = static_cast<Forced>(static_cast<std::int8_t>(forced));
  return true;
}

// Epochs rise by one or two a takeover, so half the range is never reached; a number above it could
// only make the next one wrap around.
constexpr std::uint64_t kLargestEpoch = std::uint64_t{1} << 63;

// False when a value has no meaning or a reserved byte is set.
bool decode_fixed(ByteReader& in, Heartbeat& h) {
  read_stamp(in.take(kStampSize), h);
  const std::uint8_t role = in.u8();
  const std::uint8_t flags = in.u8();
  const std::uint8_t forced = in.u8();
  const std::uint8_t ask = in.u8();
  h.epoch.number = in.u64();
  h.health.bandwidth_mbps = in.u64();
  h.health.full_bandwidth_mbps = in.u64();
  h.health.good_lags = in.u16();
  h.health.full_lags = in.u16();
  h.health.failed_modules = in.u8();
  h.paths_alive = in.u8();
  const std::uint8_t invite = in.u8();
  unsigned reserved = in.u8();
  h.health.uptime_s = in.u32();
  h.health.priority = in.u32();
  h.health_version = in.u32();
  h.peer_health_version = in.u32();
  h.ask_round = in.u32();
  h.grant_round = in.u32();
  h.invite_round = in.u32();
  h.refuse_round = in.u32();
  h.replication.sessions = in.u64();
  h.replication.lag_sessions = in.u64();
  h.replication.lag_us = in.u32();
  reserved |= in.u32();
  h.cluster_digest = in.u64();
  in.copy_to(h.dataplane_nonce);
  h.leaving = flags & kLeaving;
  h.dual_primary_seen = flags & kDualPrimarySeen;
  h.replication.dataplane_alive = flags & kDataplaneAlive;
  h.replication.in_sync = flags & kInSync;
  h.health.management_link = flags & kManagementLink;
  h.direct_silent = flags & kDirectSilent;
  if (h.epoch.number > kLargestEpoch) return false;
  return reserved == 0 && (flags & ~kKnownFlags) == 0 && read_enums(role, forced, ask, invite, h);
}

template <std::size_t N>
bool read_text(Bytes bytes, ShortText<N>& out) {
  if (bytes.size() > N) return false;
  out = ShortText<N>(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return true;
}

bool read_table_epoch(Bytes content, Epoch& out) {
  ByteReader in(content);
  out.number = in.u64();
  return !in.failed() && in.remaining() == 0 && out.number <= kLargestEpoch;
}

// A later version may append to it.
bool read_remote_monitors(Bytes content, HealthVector& out) {
  ByteReader in(content);
  out.remote_known = in.u32();
  out.remote_reached = in.u32();
  if (out.remote_known == 0) out.remote_reached = 0;
  return !in.failed();
}

// A later version may append to it.
bool read_password_use(Bytes content, PasswordUse& out) {
  ByteReader in(content);
  out.round = in.u64();
  out.used = in.u64();
  out.other = in.u64();
  if (!out.known()) out = PasswordUse{};
  return !in.failed();
}

// A later version may append to it. Any two numbers are a range, if an empty one: a peer that lives
// is believed to live whatever it says here.
bool read_protocol(Bytes content, ProtocolRange& out) {
  ByteReader in(content);
  out.lowest = in.u8();
  out.highest = in.u8();
  return !in.failed();
}

// A section of a kind that this version does not know is skipped; so is a ninth lost interface.
bool read_section(std::uint8_t kind, Bytes content, Heartbeat& h) {
  switch (static_cast<Section>(kind)) {
    case Section::serial:
      return read_text(content, h.serial);
    case Section::hostname:
      return read_text(content, h.hostname);
    case Section::version:
      return read_text(content, h.version);
    case Section::role_reason:
      return read_text(content, h.role_reason);
    case Section::refusal:
      return read_text(content, h.refusal);
    case Section::table_epoch:
      return read_table_epoch(content, h.table_epoch);
    case Section::remote_monitors:
      return read_remote_monitors(content, h.health);
    case Section::failed_module:
      return read_text(content, h.failed_module);
    case Section::password_use:
      return read_password_use(content, h.passwords);
    case Section::maintenance:
      if (h.health.forced == Forced::backup) h.health.forced = Forced::maintenance;
      return true;
    case Section::protocol:
      return read_protocol(content, h.protocol);
    case Section::lost_interface: {
      ShortText<48> name;
      if (!read_text(content, name)) return false;
      if (!h.lost_interfaces.full()) h.lost_interfaces.push_back(name);
      return true;
    }
  }
  return true;
}

}  // namespace

std::size_t encode_heartbeat(const Heartbeat& heartbeat, MutableBytes out) {
  ByteWriter writer(out);
  encode_fixed(heartbeat, writer);
  encode_text(Section::serial, heartbeat.serial, writer);
  encode_text(Section::hostname, heartbeat.hostname, writer);
  encode_text(Section::version, heartbeat.version, writer);
  encode_text(Section::role_reason, heartbeat.role_reason, writer);
  if (heartbeat.refusal.size != 0) encode_text(Section::refusal, heartbeat.refusal, writer);
  if (heartbeat.table_epoch.number != 0) encode_table_epoch(heartbeat.table_epoch, writer);
  if (heartbeat.health.remote_known != 0) encode_remote_monitors(heartbeat.health, writer);
  if (heartbeat.failed_module.size != 0)
    encode_text(Section::failed_module, heartbeat.failed_module, writer);
  if (heartbeat.passwords.known()) encode_password_use(heartbeat.passwords, writer);
  if (heartbeat.health.forced == Forced::maintenance) encode_maintenance(writer);
  encode_protocol(heartbeat.protocol, writer);
  for (const auto& name : heartbeat.lost_interfaces)
    encode_text(Section::lost_interface, name, writer);
  HOTPAIR_ASSERT(!writer.failed());
  return writer.size();
}

void stamp_heartbeat(MutableBytes body, std::uint64_t sequence, std::uint32_t loop_age_us,
                     bool direct_silent) {
  HOTPAIR_ASSERT(body.size() >= kFixedSize);
  store_be(body.data() + kSequenceAt, sequence);
  store_be(body.data() + kLoopAgeAt, loop_age_us);
  std::uint8_t& flags = body[kFlagsAt];
  flags = static_cast<std::uint8_t>(direct_silent ? flags | kDirectSilent : flags & ~kDirectSilent);
}

void read_stamp(Bytes body, Heartbeat& heartbeat) {
  HOTPAIR_ASSERT(body.size() >= kStampSize);
  heartbeat.sequence = load_be<std::uint64_t>(body.data() + kSequenceAt);
  heartbeat.loop_age_us = load_be<std::uint32_t>(body.data() + kLoopAgeAt);
}

Result<Heartbeat, BodyError> decode_heartbeat(Bytes body) {
  if (body.size() < kFixedSize) return fail(BodyError::too_short);
  ByteReader in(body);
  Heartbeat heartbeat;
  if (!decode_fixed(in, heartbeat)) return fail(BodyError::bad_value);
  HOTPAIR_ASSERT(in.position() == kFixedSize);
  while (in.remaining() > 0) {
    const std::uint8_t kind = in.u8();
    const std::uint8_t reserved = in.u8();
    const std::uint16_t size = in.u16();
    const Bytes content = in.take(size);
    if (in.failed()) return fail(BodyError::bad_section_size);
    if (reserved != 0) return fail(BodyError::bad_value);
    if (!read_section(kind, content, heartbeat)) return fail(BodyError::text_too_long);
  }
  return heartbeat;
}

}  // namespace hotpair::agent
