// A client and a server talk through one firewall; its entry is carried to a second one, the routes
// move there, and the conversation goes on: by rules that drop whatever the table does not know.
#include <cstring>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/unit/dataplane/conntrack_firewalls.hpp"

namespace hotpair::conntrack {
namespace {

using test::Known;

struct Case {
  bool ipv6 = false;  // IPv4 is translated at the source, IPv6 is not
  int type = SOCK_STREAM;
  bool from_dump = false;
  const char* name = "";
};

class ConntrackTakeover : public test::TwoFirewalls, public testing::WithParamInterface<Case> {
 protected:
  struct Conversation {
    sys::FileDescriptor client, server;
  };

  static sockaddr_storage server_address(bool ipv6, socklen_t& size) {
    sockaddr_storage storage{};
    if (ipv6) {
      sockaddr_in6 a{};
      a.sin6_family = AF_INET6;
      a.sin6_port = htons(7000);
      inet_pton(AF_INET6, kServer6, &a.sin6_addr);
      std::memcpy(&storage, &a, size = sizeof a);
    } else {
      sockaddr_in a{};
      a.sin_family = AF_INET;
      a.sin_port = htons(7000);
      inet_pton(AF_INET, kServer4, &a.sin_addr);
      std::memcpy(&storage, &a, size = sizeof a);
    }
    return storage;
  }

  static const sockaddr* generic(const sockaddr_storage& storage) {
    return static_cast<const sockaddr*>(static_cast<const void*>(&storage));
  }

  // Opens the conversation through the present route and says one word each way.
  Conversation converse(const Case& c) {
    socklen_t size = 0;
    const sockaddr_storage to = server_address(c.ipv6, size);
    const int family = c.ipv6 ? AF_INET6 : AF_INET;
    sys::FileDescriptor listener;
    Conversation out;
    {
      const test::Inside inside(server_);
      listener.reset(socket(family, c.type, 0));
      EXPECT_EQ(0, bind(listener.get(), generic(to), size));
      EXPECT_TRUE(c.type != SOCK_STREAM || listen(listener.get(), 1) == 0);
    }
    {
      const test::Inside inside(client_);
      out.client.reset(socket(family, c.type, 0));
      EXPECT_EQ(0, connect(out.client.get(), generic(to), size)) << std::strerror(errno);
    }
    if (c.type == SOCK_STREAM) {
      out.server.reset(accept(listener.get(), nullptr, nullptr));
    } else {
      EXPECT_EQ(5, send(out.client.get(), "hello", 5, 0));
      sockaddr_storage from{};
      socklen_t from_size = sizeof from;
      char text[5];
      EXPECT_EQ(5, recvfrom(listener.get(), text, 5, 0,
                            static_cast<sockaddr*>(static_cast<void*>(&from)), &from_size));
      EXPECT_EQ(0, connect(listener.get(), generic(from), from_size));
      out.server = std::move(listener);
    }
    EXPECT_TRUE(says(out.client, out.server, "ask"));
    EXPECT_TRUE(says(out.server, out.client, "answer"));
    return out;
  }

  // True when what one end sends reaches the other within the time.
  static bool says(const sys::FileDescriptor& from, const sys::FileDescriptor& to,
                   const std::string& text, int within_ms = 3000) {
    if (send(from.get(), text.data(), text.size(), 0) < 0) return false;
    return hears(to, text, within_ms);
  }
  static bool hears(const sys::FileDescriptor& at, const std::string& text, int within_ms) {
    pollfd waiting{at.get(), POLLIN, 0};
    if (poll(&waiting, 1, within_ms) != 1) return false;
    std::string got(text.size(), 0);
    return recv(at.get(), got.data(), got.size(), 0) == static_cast<ssize_t>(text.size()) &&
           got == text;
  }
};

TEST_P(ConntrackTakeover, TheConversationGoesOnThroughTheSecondFirewall) {
  const Case c = GetParam();
  auto source = source_in(0);
  ASSERT_TRUE(source->subscribe().ok());
  const Conversation talk = converse(c);
  Known known;
  if (c.from_dump) {
    ASSERT_TRUE(source->start_dump().ok());
    while (source->dumping()) source->poll_dump(known, 1000);
  } else {
    source->poll_events(known, 1000);
  }
  ASSERT_EQ(known.sessions.size(), 1u);
  EXPECT_EQ(dataplane::has_nat(known.sessions[0]), !c.ipv6);

  route_by(1);
  EXPECT_FALSE(says(talk.client, talk.server, "lost", 150))
      << "the second firewall knows nothing yet";
  carry_over(known);
  if (c.type == SOCK_STREAM) {
    EXPECT_TRUE(hears(talk.server, "lost", 3000)) << "TCP repeats it, mid-stream";
  }
  EXPECT_TRUE(says(talk.client, talk.server, "from the client"));
  EXPECT_TRUE(says(talk.server, talk.client, "from the server"));
}

TEST_P(ConntrackTakeover, TheServerMaySpeakFirst) {
  const Case c = GetParam();
  auto source = source_in(0);
  ASSERT_TRUE(source->subscribe().ok());
  const Conversation talk = converse(c);
  Known known;
  source->poll_events(known, 1000);
  carry_over(known);
  route_by(1);
  EXPECT_TRUE(says(talk.server, talk.client, "from the server"));
  EXPECT_TRUE(says(talk.client, talk.server, "from the client"));
}

INSTANTIATE_TEST_SUITE_P(Flows, ConntrackTakeover,
                         testing::Values(Case{false, SOCK_STREAM, false, "TcpTranslated"},
                                         Case{true, SOCK_STREAM, false, "TcpIpv6"},
                                         Case{false, SOCK_STREAM, true, "TcpTranslatedFromADump"},
                                         Case{true, SOCK_STREAM, true, "TcpIpv6FromADump"},
                                         Case{false, SOCK_DGRAM, false, "UdpTranslated"},
                                         Case{true, SOCK_DGRAM, false, "UdpIpv6"}),
                         [](const auto& flow) { return std::string(flow.param.name); });

}  // namespace
}  // namespace hotpair::conntrack
