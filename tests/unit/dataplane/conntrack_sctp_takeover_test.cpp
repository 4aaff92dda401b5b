// An SCTP association through two firewalls, written by hand: the handshake through one, and data
// through the other, which knows both verification tags and lets nobody guess them.
#include <array>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "platform/base/bytes.hpp"
#include "tests/unit/dataplane/conntrack_firewalls.hpp"

namespace hotpair::conntrack {
namespace {

using dataplane::Extras;

// RFC 9260, sections 3.1 to 3.3.
enum Chunk : std::uint8_t {
  kData = 0,
  kInit = 1,
  kInitAck = 2,
  kSack = 3,
  kCookieEcho = 10,
  kCookieAck = 11
};
constexpr std::uint16_t kClientPort = 4000, kServerPort = 9899;
constexpr std::uint32_t kClientTag = 0x0c11e417, kServerTag = 0x5e44e400;

class ConntrackSctp : public test::TwoFirewalls {
 protected:
  void SetUp() override {
    TwoFirewalls::SetUp();
    if (IsSkipped()) return;
    // Nobody computes a CRC here; the conntrack under test need not look at it.
    for (const auto& fw : fw_)
      ASSERT_TRUE(run(fw, "sysctl -qw net.netfilter.nf_conntrack_checksum=0"));
    client_end_ = raw_socket(client_, "10.9.0.2");
    server_end_ = raw_socket(server_, kServer4);
  }

  static sys::FileDescriptor raw_socket(const test::Namespace& space, const char* address) {
    const test::Inside inside(space);
    sys::FileDescriptor fd(socket(AF_INET, SOCK_RAW, IPPROTO_SCTP));
    const sockaddr_in own = internet(address);
    EXPECT_EQ(0, bind(fd.get(), generic(own), sizeof own));
    return fd;
  }
  static sockaddr_in internet(const char* address) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    inet_pton(AF_INET, address, &out.sin_addr);
    return out;
  }
  static const sockaddr* generic(const sockaddr_in& a) {
    return static_cast<const sockaddr*>(static_cast<const void*>(&a));
  }

  // One chunk under a tag; an INIT or its acknowledgement brings the tag of its sender.
  static std::vector<std::uint8_t> packet(bool from_client, std::uint32_t tag, Chunk chunk,
                                          std::uint32_t own_tag = 0) {
    std::vector<std::uint8_t> out(32);
    ByteWriter w(out);
    w.u16(from_client ? kClientPort : kServerPort);
    w.u16(from_client ? kServerPort : kClientPort);
    w.u32(tag);
    w.u32(0);
    w.u8(chunk);
    w.u8(0);
    w.u16(20);
    w.u32(own_tag);
    w.u32(65536);
    w.u16(1);
    w.u16(1);
    w.u32(1);
    return out;
  }

  // True when the other end gets what one end sends.
  bool passes(bool from_client, std::uint32_t tag, Chunk chunk, std::uint32_t own_tag = 0,
              int within_ms = 2000) {
    const auto& from = from_client ? client_end_ : server_end_;
    const auto& to = from_client ? server_end_ : client_end_;
    const std::vector<std::uint8_t> sent = packet(from_client, tag, chunk, own_tag);
    const sockaddr_in there = internet(from_client ? kServer4 : "10.9.0.2");
    EXPECT_EQ(static_cast<ssize_t>(sent.size()),
              sendto(from.get(), sent.data(), sent.size(), 0, generic(there), sizeof there));
    pollfd waiting{to.get(), POLLIN, 0};
    if (poll(&waiting, 1, within_ms) != 1) return false;
    std::array<std::uint8_t, 256> got{};  // with its IPv4 header
    const ssize_t size = recv(to.get(), got.data(), got.size(), 0);
    return size == static_cast<ssize_t>(20 + sent.size()) &&
           std::equal(sent.begin(), sent.end(), got.begin() + 20);
  }

  sys::FileDescriptor client_end_, server_end_;
};

TEST_F(ConntrackSctp, TheAssociationGoesOnThroughTheSecondFirewall) {
  auto source = source_in(0);
  ASSERT_TRUE(source->subscribe().ok());
  ASSERT_TRUE(passes(true, 0, kInit, kClientTag));
  ASSERT_TRUE(passes(false, kClientTag, kInitAck, kServerTag));
  ASSERT_TRUE(passes(true, kServerTag, kCookieEcho));
  ASSERT_TRUE(passes(false, kClientTag, kCookieAck));
  ASSERT_TRUE(passes(true, kServerTag, kData));
  test::Known known;
  ASSERT_TRUE(source->start_dump().ok());
  while (source->dumping()) source->poll_dump(known, 1000);
  ASSERT_EQ(known.sessions.size(), 1u);
  ASSERT_TRUE(known.sessions[0].state.extras.has(Extras::kSctp));
  EXPECT_THAT(known.sessions[0].state.extras->sctp_tags,
              testing::ElementsAre(kServerTag, kClientTag));

  route_by(1);
  EXPECT_FALSE(passes(true, kServerTag, kData, 0, 150)) << "the second firewall knows nothing yet";
  carry_over(known);
  EXPECT_TRUE(passes(true, kServerTag, kData));
  EXPECT_TRUE(passes(false, kClientTag, kSack));
  EXPECT_FALSE(passes(true, kServerTag + 1, kData, 0, 150)) << "a guessed tag";
}

}  // namespace
}  // namespace hotpair::conntrack
