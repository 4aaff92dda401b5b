// Two firewalls between a client and a server, each box a namespace, each line a veth pair; the
// routes lead through one of the two, and what the first one's kernel knows can be carried to the
// second's.
//
//            .- fw1 -.
//   client -<         >- server
//            '- fw2 -'
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/conntrack/sink.hpp"
#include "dataplane/conntrack/source.hpp"
#include "dataplane/core/early_expectations.hpp"
#include "dataplane/core/untold.hpp"
#include "tests/unit/dataplane/conntrack_namespace.hpp"

namespace hotpair::conntrack::test {

using dataplane::Session;
using dataplane::SessionKey;

// The newest state of every session the source told of.
struct Known : SourceVisitor {
  std::vector<Session> sessions;
  bool dump_done = false;
  dataplane::EarlyExpectations early;  // of a session whose first packet was read by a helper
  void on_upsert(const Session& s) override {
    for (Session& known : sessions) {
      if (known.key != s.key) continue;
      const dataplane::SessionState before = known.state;
      known = s;
      dataplane::keep_untold(before, s.key.protocol, known.state);
      return;
    }
    sessions.push_back(s);
    early.claim(sessions.back(), {});
  }
  void on_destroy(const SessionKey&) override {}
  void on_expectation(const SessionKey& master, const dataplane::Expectation& expectation,
                      bool gone) override {
    for (Session& known : sessions)
      if (known.key == master)
        return (void)dataplane::with_expectation(known.state.extras, expectation, gone,
                                                 known.state.extras);
    early.add(master, expectation, {});
  }
  void on_dump_entry(const Session& s) override { on_upsert(s); }
  void on_dump_done(bool) override { dump_done = true; }
  void on_overrun() override {}
};

class TwoFirewalls : public testing::Test {
 protected:
  static constexpr const char* kServer4 = "20.9.0.2";
  static constexpr const char* kServer6 = "fd20:9::2";

  void SetUp() override {
    if (!client_ || !server_ || !fw_[0] || !fw_[1]) GTEST_SKIP() << kNoRights;
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
    const Namespace& fw = fw_[index];
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
                               "  ct state invalid drop; ct state established,related accept; ") +
                       (index == 0 ? "ct state new accept; " : "") + "}; }'");
  }

  static bool address(const Namespace& space, const std::string& device, const std::string& v4,
                      const std::string& v6) {
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
                                 ".0.1 && ip route replace 10.9.0.2 via 20." + n +
                                 ".0.1 && ip -6 route replace fd10:9::2 via fd20:" + n + "::1"));
  }

  std::unique_ptr<Source> source_in(int index) {
    const Inside inside(fw_[index]);
    auto source = Source::open({});
    EXPECT_TRUE(source.ok());
    return std::move(source).value();
  }

  // What the first firewall's kernel knows goes to the second's.
  void carry_over(Known& known) {
    std::unique_ptr<Sink> sink;
    {
      const Inside inside(fw_[1]);
      auto opened = Sink::open();
      ASSERT_TRUE(opened.ok());
      sink = std::move(opened).value();
    }
    for (const Session& s : known.sessions) sink->upsert(s, 600, true);
    sink->flush();
    EXPECT_EQ(sink->counters().created, known.sessions.size());
    EXPECT_EQ(sink->counters().failed, 0u);
  }

  Namespace client_, server_, fw_[2];
};

}  // namespace hotpair::conntrack::test
