// A SIP call is announced through one firewall, which translates; its media come through the other,
// which has read nothing of the call and knows only what the first one's helper expects.
#include <array>
#include <cstring>
#include <regex>
#include <string>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/unit/dataplane/conntrack_firewalls.hpp"

namespace hotpair::conntrack {
namespace {

using dataplane::Extras;

constexpr std::uint16_t kSip = 5060, kMedia = 40100;

class ConntrackSip : public test::TwoFirewalls {
 protected:
  void SetUp() override {
    TwoFirewalls::SetUp();
    if (IsSkipped()) return;
    for (const auto& fw : fw_)
      ASSERT_TRUE(run(fw,
                      "nft 'table inet h { ct helper sip { type \"sip\" protocol udp; };"
                      " chain p { type filter hook prerouting priority 0;"
                      " udp dport 5060 ct helper set \"sip\"; }; }'"));
  }

  static sockaddr_in internet(const std::string& address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &out.sin_addr);
    return out;
  }
  static const sockaddr* generic(const sockaddr_in& a) {
    return static_cast<const sockaddr*>(static_cast<const void*>(&a));
  }
  static sys::FileDescriptor udp_socket(const test::Namespace& space, const char* address,
                                        std::uint16_t port) {
    const test::Inside inside(space);
    sys::FileDescriptor fd(socket(AF_INET, SOCK_DGRAM, 0));
    const sockaddr_in own = internet(address, port);
    EXPECT_EQ(0, bind(fd.get(), generic(own), sizeof own));
    return fd;
  }
  static void send_to(const sys::FileDescriptor& from, const std::string& text,
                      const sockaddr_in& to) {
    EXPECT_EQ(static_cast<ssize_t>(text.size()),
              sendto(from.get(), text.data(), text.size(), 0, generic(to), sizeof to));
  }
  static std::string heard(const sys::FileDescriptor& at, int within_ms = 2000) {
    pollfd waiting{at.get(), POLLIN, 0};
    if (poll(&waiting, 1, within_ms) != 1) return "";
    std::array<char, 4096> bytes;
    const ssize_t size = recv(at.get(), bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

  // RFC 3261 and RFC 4566: as little as a helper reads.
  static std::string invite() {
    const std::string media =
        "v=0\r\no=caller 1 1 IN IP4 10.9.0.2\r\ns=-\r\nc=IN IP4 10.9.0.2\r\nt=0 0\r\n"
        "m=audio " +
        std::to_string(kMedia) + " RTP/AVP 0\r\n";
    return "INVITE sip:callee@20.9.0.2 SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 10.9.0.2:5060;branch=z9hG4bK1\r\n"
           "From: <sip:caller@10.9.0.2>;tag=1\r\nTo: <sip:callee@20.9.0.2>\r\n"
           "Call-ID: 1@10.9.0.2\r\nCSeq: 1 INVITE\r\nContact: <sip:caller@10.9.0.2:5060>\r\n"
           "Content-Type: application/sdp\r\nContent-Length: " +
           std::to_string(media.size()) + "\r\n\r\n" + media;
  }
};

TEST_F(ConntrackSip, TheMediaOfACallComeThroughTheSecondFirewall) {
  auto source = source_in(0);
  ASSERT_TRUE(source->subscribe().ok());
  const auto caller = udp_socket(client_, "10.9.0.2", kSip);
  const auto media = udp_socket(client_, "10.9.0.2", kMedia);
  const auto callee = udp_socket(server_, kServer4, kSip);
  send_to(caller, invite(), internet(kServer4, kSip));
  const std::string announced = heard(callee);
  std::smatch address, port;
  ASSERT_TRUE(std::regex_search(announced, address, std::regex("c=IN IP4 ([0-9.]+)"))) << announced;
  ASSERT_TRUE(std::regex_search(announced, port, std::regex("m=audio ([0-9]+)"))) << announced;
  ASSERT_EQ(address[1], "20.8.0.1") << "the helper translates what the caller says";

  test::Known known;
  source->poll_events(known, 1000);
  ASSERT_EQ(known.sessions.size(), 1u);
  ASSERT_TRUE(known.sessions[0].state.extras.has(Extras::kExpectations));
  EXPECT_EQ(known.sessions[0].state.extras->expectations.size(), 2u) << "RTP and RTCP";
  carry_over(known);
  route_by(1);

  const auto speaker = udp_socket(server_, kServer4, 6000);
  send_to(speaker, "hello", internet(address[1], static_cast<std::uint16_t>(std::stoi(port[1]))));
  EXPECT_EQ(heard(media), "hello");
  send_to(speaker, "is this on?",
          internet(address[1], static_cast<std::uint16_t>(std::stoi(port[1]) + 10)));
  EXPECT_EQ(heard(media, 150), "") << "another port is nobody's";
}

}  // namespace
}  // namespace hotpair::conntrack
