#include "agent/core/heartbeat_wire.hpp"

#include <gtest/gtest.h>

#include "platform/base/rng.hpp"

namespace hotpair::agent {
namespace {

Heartbeat random_heartbeat(Rng& rng) {
  const auto u32 = [&] { return static_cast<std::uint32_t>(rng.next()); };
  const auto text = [&](std::size_t most) { return std::string(rng.below(most + 1), 'x'); };
  Heartbeat h;
  h.sequence = rng.next();
  h.loop_age_us = u32();
  h.role = static_cast<Role>(rng.below(4));
  h.epoch.number = rng.next() >> 1;
  h.leaving = rng.chance(1, 2);
  h.dual_primary_seen = rng.chance(1, 2);
  h.direct_silent = rng.chance(1, 2);
  h.health.forced = static_cast<Forced>(static_cast<int>(rng.below(4)) - 2);
  h.health.bandwidth_mbps = rng.next();
  h.health.full_bandwidth_mbps = rng.next();
  h.health.good_lags = static_cast<std::uint16_t>(rng.next());
  h.health.full_lags = static_cast<std::uint16_t>(rng.next());
  h.health.management_link = rng.chance(1, 2);
  h.health.failed_modules = static_cast<std::uint8_t>(rng.next());
  h.health.uptime_s = u32();
  h.health.priority = u32();
  h.health.remote_known = u32();
  h.health.remote_reached = h.health.remote_known == 0 ? 0 : u32();
  h.health_version = u32();
  h.peer_health_version = u32();
  h.ask_round = u32();
  h.grant_round = u32();
  h.ask_cause = static_cast<Heartbeat::AskCause>(rng.below(4));
  h.invite_round = u32();
  h.invite_cause = static_cast<Heartbeat::AskCause>(rng.below(4));
  h.refuse_round = u32();
  h.refusal = text(160);
  h.replication = {rng.chance(1, 2), rng.chance(1, 2), rng.next(), rng.next(), u32()};
  h.cluster_digest = rng.next();
  h.paths_alive = static_cast<std::uint8_t>(rng.next());
  for (auto& byte : h.dataplane_nonce) byte = static_cast<std::uint8_t>(rng.next());
  h.serial = text(32);
  h.hostname = text(64);
  h.version = text(32);
  h.role_reason = text(200);
  h.failed_module = text(96);
  h.passwords = {3, 0x2e3, 0x01d};
  h.protocol = {static_cast<std::uint8_t>(rng.next()), static_cast<std::uint8_t>(rng.next())};
  for (std::uint64_t i = rng.below(9); i > 0; --i) h.lost_interfaces.push_back(text(48));
  return h;
}

class HeartbeatBytes : public testing::Test {
 protected:
  std::array<std::uint8_t, kMaxBodySize> body{};
  MutableBytes encoded(const Heartbeat& h) {
    return MutableBytes(body).first(encode_heartbeat(h, body));
  }
};

TEST_F(HeartbeatBytes, AreReadBackAsWritten) {
  Rng rng(7);
  for (int i = 0; i < 2000; ++i) {
    const Heartbeat h = random_heartbeat(rng);
    const auto read = decode_heartbeat(encoded(h));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, h);
  }
}

TEST_F(HeartbeatBytes, AreStampedInPlace) {
  MutableBytes bytes = encoded(Heartbeat{});
  stamp_heartbeat(bytes, 77, 1234, true);
  EXPECT_EQ(decode_heartbeat(bytes)->sequence, 77u);
  EXPECT_EQ(decode_heartbeat(bytes)->loop_age_us, 1234u);
  EXPECT_TRUE(decode_heartbeat(bytes)->direct_silent);
  stamp_heartbeat(bytes, 78, 1234, false);
  EXPECT_FALSE(decode_heartbeat(bytes)->direct_silent);
}

TEST_F(HeartbeatBytes, MayCarrySectionsOfALaterVersion) {
  const std::size_t size = encoded(Heartbeat{}).size();
  ByteWriter more(MutableBytes(body).subspan(size));
  more.u8(200);
  more.u8(0);
  more.u16(3);
  more.put("abc");
  EXPECT_TRUE(decode_heartbeat(Bytes(body).first(size + 7)).ok());
}

// What the next version would send: a section of ours with more behind it, one that it invented
// between two that we know, and one that is empty.
TEST_F(HeartbeatBytes, OfTheNextVersionAreUnderstoodAsFarAsThisOneKnows) {
  Heartbeat h;
  h.serial = "FW-0002";
  h.health.remote_known = 3;
  const std::size_t size = encoded(h).size();
  ByteWriter more(MutableBytes(body).subspan(size));
  const auto section = [&](std::uint8_t kind, std::uint16_t bytes) {
    more.u8(kind);
    more.u8(0);
    more.u16(bytes);
  };
  section(8, 12);
  more.u32(7);
  more.u32(5);
  more.u32(0xffffffff);
  section(99, 2);
  more.u16(1);
  section(98, 0);
  section(2, 3);
  more.put("fw2");
  const auto read = decode_heartbeat(Bytes(body).first(size + more.size()));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->serial.view(), "FW-0002");
  EXPECT_EQ(read->hostname.view(), "fw2");
  EXPECT_EQ(read->health.remote_known, 7u);
  EXPECT_EQ(read->health.remote_reached, 5u);
}

TEST_F(HeartbeatBytes, WithoutARangeOfProtocolsMeanTheFirst) {
  Heartbeat h;
  h.protocol = {2, 3};
  const std::size_t size = encoded(h).size();
  EXPECT_EQ(decode_heartbeat(Bytes(body).first(size))->protocol, h.protocol);
  EXPECT_EQ(decode_heartbeat(Bytes(body).first(size - 6))->protocol, (ProtocolRange{1, 1}));
}

// Found by the fuzzer: a monitor reached and not known, a password's round without a password.
TEST_F(HeartbeatBytes, WithHalfASectionsMeaningHaveNone) {
  const std::size_t size = encoded(Heartbeat{}).size();
  ByteWriter more(MutableBytes(body).subspan(size));
  more.put(Bytes(std::array<std::uint8_t, 12>{8, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 3}));
  more.put(Bytes(std::array<std::uint8_t, 4>{13, 0, 0, 24}));
  more.u64(9);
  more.zeros(16);
  const auto read = decode_heartbeat(Bytes(body).first(size + more.size()));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, Heartbeat{});
}

TEST_F(HeartbeatBytes, AreRefusedByReason) {
  const std::size_t size = encoded(Heartbeat{}).size();
  EXPECT_EQ(decode_heartbeat(Bytes(body).first(127)).error(), BodyError::too_short);
  EXPECT_EQ(decode_heartbeat(Bytes(body).first(size - 1)).error(), BodyError::bad_section_size);
  body[12] = 4;  // no such role
  EXPECT_EQ(decode_heartbeat(Bytes(body).first(size)).error(), BodyError::bad_value);
  (void)encoded(Heartbeat{});
  body[47] = 1;  // reserved
  EXPECT_EQ(decode_heartbeat(Bytes(body).first(size)).error(), BodyError::bad_value);
  (void)encoded(Heartbeat{});
  body[128 + 3] = 33;  // a serial of 33 bytes
  EXPECT_EQ(decode_heartbeat(body).error(), BodyError::text_too_long);
}

TEST_F(HeartbeatBytes, RefuseAnEpochThatCouldOnlyWrapAround) {
  Heartbeat h;
  h.epoch.number = UINT64_MAX;
  EXPECT_EQ(decode_heartbeat(encoded(h)).error(), BodyError::bad_value);
}

TEST_F(HeartbeatBytes, OfAnyKindAreReadOrRefusedAndNeverMore) {
  Rng rng(9);
  for (int i = 0; i < 20000; ++i) {
    MutableBytes bytes = encoded(random_heartbeat(rng));
    for (std::uint64_t n = rng.below(4); n > 0; --n)
      bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.next());
    const auto read = decode_heartbeat(Bytes(bytes).first(rng.below(bytes.size() + 1)));
    if (read.ok()) {
      EXPECT_LE(static_cast<int>(read->role), 3);
    }
  }
}

}  // namespace
}  // namespace hotpair::agent
