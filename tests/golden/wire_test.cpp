// The hex dump of agent/WIRE.md is what the code writes, and reads back as what was written.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "agent/core/heartbeat_wire.hpp"

namespace hotpair::agent {
namespace {

// Seals nothing, so that a frame can be read in the document.
class OpenCipher final : public FrameCipher {
 public:
  Key derive(int, const Salt&, const Salt&, ChassisId, std::string_view) override { return {}; }
  PasswordId password_id(int which) const override { return which == 0 ? 1 : kNoPassword; }
  void seal(const Key&, const Nonce&, Bytes, Bytes body, MutableBytes out) override {
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    std::copy(body.begin(), body.end(), out.begin());
  }
  bool open(const Key&, const Nonce&, Bytes, Bytes sealed, MutableBytes out) override {
    std::copy(sealed.begin(), sealed.end() - kTagSize, out.begin());
    return true;
  }
  Salt random_salt() override {
    Salt salt;
    salt.fill(next_ = static_cast<std::uint8_t>(next_ + 0x11));
    return salt;
  }

 private:
  std::uint8_t next_ = 0;
};

Heartbeat example() {
  Heartbeat h;
  h.sequence = 4711;
  h.loop_age_us = 1500;
  h.role = Role::primary;
  h.epoch = {3};
  h.health.bandwidth_mbps = 10'000;
  h.health.full_bandwidth_mbps = 20'000;
  h.health.good_lags = h.health.full_lags = 1;
  h.health.uptime_s = 3600;
  h.health.priority = 200;
  h.health.remote_known = 3;
  h.health.remote_reached = 1;
  h.health_version = 5;
  h.peer_health_version = 2;
  h.refuse_round = 9;
  h.refusal = "the backup is not in sync";
  h.replication = {true, false, 100'000, 12, 850};
  h.cluster_digest = 0x0123456789abcdef;
  h.paths_alive = 0x13;
  h.dataplane_nonce.fill(0xdd);
  h.serial = "FW-0001";
  h.hostname = "fw1";
  h.version = "0.1.0";
  h.role_reason = "peer silent for 41 ms on 3 of 3 paths";
  h.lost_interfaces.push_back("tenant-a/lan-a");
  return h;
}

std::string dump(Bytes bytes) {
  std::string out;
  char text[32];
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 16 == 0) {
      std::snprintf(text, sizeof text, "%04zx ", i);
      out += text;
    }
    std::snprintf(text, sizeof text, " %02x", bytes[i]);
    out += text;
    if (i % 16 == 15 || i + 1 == bytes.size()) out += "\n";
  }
  return out;
}

std::vector<std::uint8_t> frame_of(const Heartbeat& heartbeat) {
  OpenCipher cipher;
  Association association(ChassisId::one, 7, cipher);
  std::array<std::uint8_t, kMaxBodySize> body{};
  std::vector<std::uint8_t> frame(kHeartbeatHeaderSize + kMaxBodySize + kTagSize);
  const std::size_t size = encode_heartbeat(heartbeat, body);
  frame.resize(association.seal(1, Bytes(body).first(size), frame));
  return frame;
}

TEST(WireDocument, ShowsTheHeartbeatThatIsSent) {
  std::ifstream in(HOTPAIR_WIRE_MD);
  std::ostringstream all;
  all << in.rdbuf();
  std::string text = all.str();
  const std::string mark = "<!-- vector: heartbeat -->\n```\n";
  const std::size_t begin = text.find(mark) + mark.size();
  const std::size_t end = text.find("```", begin);
  ASSERT_NE(end, text.npos);
  const std::string now = dump(frame_of(example()));
  if (std::getenv("HOTPAIR_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(HOTPAIR_WIRE_MD) << text.replace(begin, end - begin, now);
    return;
  }
  EXPECT_EQ(text.substr(begin, end - begin), now) << "HOTPAIR_UPDATE_GOLDEN=1 rewrites it";
}

TEST(WireDocument, IsReadBackAsWritten) {
  const auto frame = frame_of(example());
  const Bytes body =
      Bytes(frame).subspan(kHeartbeatHeaderSize, frame.size() - kHeartbeatHeaderSize - kTagSize);
  const auto read = decode_heartbeat(body);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, example());
}

}  // namespace
}  // namespace hotpair::agent
