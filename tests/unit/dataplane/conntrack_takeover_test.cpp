// A client and a server talk through one firewall; its entry is carried to a second one, the routes
// move there, and the conversation goes on: by rules that drop whatever the table does not know.
//
//            .- fw1 -.
//   client -<         >- server          (each line a veth pair, each box a namespace)
//            '- fw2 -'
#include <cstring>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "dataplane/conntrack/sink.hpp"
#include "dataplane/conntrack/source.hpp"
#include "tests/unit/dataplane/conntrack_namespace.hpp"

namespace hotpair::conntrack {
namespace {

using dataplane::Session;
using dataplane::SessionKey;

struct Case {
  bool ipv6 = false;  // IPv4 is translated at the source, IPv6 is not
  int type = SOCK_STREAM;
  bool from_dump = false;
  const char* name = "";
};

// The newest state of every session the source told of.
struct Known : SourceVisitor {
  std::vector<Session> sessions;
  bool dump_done = false;
  void on_upsert(const Session& s) override {
    for (Session& known : sessions) {
      if (known.key != s.key) continue;
      known = s;
      return;
    }
    sessions.push_back(s);
  }
  void on_destroy(const SessionKey&) override {}
  void on_expectation(const SessionKey&, const dataplane::Expectation&, bool) override {}
  void on_dump_entry(const Session& s) override { on_upsert(s); }
  void on_dump_done(bool) override { dump_done = true; }
  void on_overrun() override {}
};

class ConntrackTakeover : public testing::TestWithParam<Case> {
 protected:
  static constexpr const char* kServer4 = "20.9.0.2";
  static constexpr const char* kServer6 = "fd20:9::2";

  void SetUp() override {
    if (!client_ || !server_ || !fw_[0] || !fw_[1]) GTEST_SKIP() << test::kNoRights;
    // Addresses are usable at once: the test waits for no duplicate address detection.
    for (const auto* box : {&client_, &server_, &fw_[0], &fw_[1]})
      ASSERT_TRUE(run(*box,
                      "sysctl -qw net.ipv6.conf.all.accept_dad=0"
                      " net.ipv6.conf.default.accept_dad=0"));
    ASSERT_TRUE(run(client_,
                    "ip link set lo up; ip addr add 10.9.0.2/32 dev lo;"
                    "ip addr add fd10:9::2/128 dev lo nodad"));
    ASSERT_TRUE(run(server_,
                    "ip link set lo up; ip addr add 20.9.0.2/32 dev lo;"
                    "ip addr add fd20:9::2/128 dev lo nodad"));
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(add_firewall(i));
    route_by(0);
  }

  bool add_firewall(int index) {
    const std::string n = std::to_string(index + 1);
    const test::Namespace& fw = fw_[index];
    return run(fw, "ip link add c type veth peer name f" + n + " netns " + client_.path() +
                       " && ip link add s type veth peer name f" + n + " netns " +
                       server_.path()) &&
           run(fw, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1") &&
           address(fw, "c", "10." + n + ".0.1/24", "fd10:" + n + "::1/64") &&
           address(fw, "s", "20." + n + ".0.1/24", "fd20:" + n + "::1/64") &&
           address(client_, "f" + n, "10." + n + ".0.2/24", "fd10:" + n + "::2/64") &&
           address(server_, "f" + n, "20." + n + ".0.2/24", "fd20:" + n + "::2/64") &&
           run(fw, "ip route add 10.9.0.2 via 10." + n + ".0.2; ip route add 20.9.0.2 via 20." + n +
                       ".0.2; ip -6 route add fd10:9::2 via fd10:" + n +
                       "::2; ip -6 route add fd20:9::2 via fd20:" + n + "::2") &&
           run(fw,
               "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0"
               " net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.c.rp_filter=0"
               " net.ipv4.conf.s.rp_filter=0") &&
           // The second firewall admits no new session at all: what passes there is known.
           run(fw, std::string("nft 'table inet t {"
                               " chain n { type nat hook postrouting priority 100;"
                               "  oifname s ip saddr 10.9.0.2 meta l4proto { tcp, udp } snat ip to "
                               "20.8.0.1:40000-50000; };"
                               " chain f { type filter hook forward priority 0; policy drop;"
                               "  ct state invalid drop; ct state established accept; ") +
                       (index == 0 ? "ct state new accept; " : "") + "}; }'");
  }

  static bool address(const test::Namespace& space, const std::string& device,
                      const std::string& v4, const std::string& v6) {
    return run(space, "ip link set " + device + " up; ip addr add " + v4 + " dev " + device +
                          "; ip -6 addr add " + v6 + " dev " + device + " nodad" +
                          "; echo 0 > /proc/sys/net/ipv4/conf/" + device + "/rp_filter" +
                          "; echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter");
  }

  void route_by(int index) {
    const std::string n = std::to_string(index + 1);
    EXPECT_TRUE(run(client_, "ip route replace 20.9.0.2 via 10." + n +
                                 ".0.1 src 10.9.0.2 && ip -6 route replace fd20:9::2 via fd10:" +
                                 n + "::1 src fd10:9::2"));
    EXPECT_TRUE(run(server_, "ip route replace 20.8.0.1 via 20." + n +
                                 ".0.1 && ip -6 route replace fd10:9::2 via fd20:" + n + "::1"));
  }

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

  std::unique_ptr<Source> source_in(int index) {
    const test::Inside inside(fw_[index]);
    auto source = Source::open({});
    EXPECT_TRUE(source.ok());
    return std::move(source).value();
  }

  // What the first firewall's kernel knows goes to the second's.
  void carry_over(Known& known) {
    std::unique_ptr<Sink> sink;
    {
      const test::Inside inside(fw_[1]);
      auto opened = Sink::open();
      ASSERT_TRUE(opened.ok());
      sink = std::move(opened).value();
    }
    for (const Session& s : known.sessions) sink->upsert(s, 600, true);
    sink->flush();
    EXPECT_EQ(sink->counters().created, known.sessions.size());
    EXPECT_EQ(sink->counters().failed, 0u);
  }

  test::Namespace client_, server_, fw_[2];
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
