// The kernel's table of a namespace of the test's own, with a sink and a source on it, and sessions
// to write there.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>

#include "dataplane/conntrack/sink.hpp"
#include "dataplane/conntrack/source.hpp"
#include "tests/unit/dataplane/conntrack_namespace.hpp"

namespace hotpair::conntrack::test {

using dataplane::Address;
using dataplane::Session;
using dataplane::SessionKey;
using dataplane::Tuple;

constexpr std::uint32_t kSeenReply = dataplane::kStatusSeenReply;
constexpr std::uint32_t kAssured = dataplane::kStatusAssured;

inline Address address(const char* text) {
  Address out;
  const int family = std::string(text).find(':') == std::string::npos ? AF_INET : AF_INET6;
  EXPECT_EQ(1, inet_pton(family, text, out.bytes.data()));
  return out;
}

inline Session tcp(const char* src, const char* dst, std::uint16_t src_port,
                   std::uint16_t dst_port) {
  Session s;
  s.key.original = {address(src), address(dst), src_port, dst_port};
  s.key.protocol = IPPROTO_TCP;
  s.key.ipv6 = std::string(src).find(':') != std::string::npos;
  s.state.reply = reversed(s.key.original);
  s.state.status = kSeenReply | kAssured;
  s.state.tcp_state = TCP_CONNTRACK_ESTABLISHED;
  s.state.tcp_flags_original = s.state.tcp_flags_reply =
      IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM;
  s.state.tcp_wscale_original = 7;
  s.state.tcp_wscale_reply = 9;
  return s;
}

inline Session udp(const char* src, const char* dst, std::uint16_t src_port,
                   std::uint16_t dst_port) {
  Session s = tcp(src, dst, src_port, dst_port);
  s.key.protocol = IPPROTO_UDP;
  const auto reply = s.state.reply;
  s.state = {};
  s.state.reply = reply;
  s.state.status = kSeenReply;
  return s;
}

inline Session source_translated(Session s, const char* to, std::uint16_t port) {
  s.state.reply.dst = address(to);
  s.state.reply.dst_port = port;
  s.state.status |= dataplane::kStatusSrcNat;
  return s;
}

inline Session destination_translated(Session s, const char* to, std::uint16_t port) {
  s.state.reply.src = address(to);
  s.state.reply.src_port = port;
  s.state.status |= dataplane::kStatusDstNat;
  return s;
}

inline Session ping(std::uint16_t id) {
  Session s = udp("192.0.2.7", "198.51.100.7", id, 0x0800);
  s.key.protocol = IPPROTO_ICMP;
  s.state.reply = {s.key.original.dst, s.key.original.src, id, 0x0000};
  return s;
}

// Keeps what the source says; a timeout is remembered apart, since the kernel counts it down.
struct Recorder : SourceVisitor {
  std::vector<Session> events, dumped;
  std::vector<SessionKey> destroyed;
  std::vector<std::pair<SessionKey, dataplane::Expectation>> expected, forgotten;
  std::optional<bool> done;
  void on_upsert(const Session& s) override { events.push_back(s); }
  void on_destroy(const SessionKey& k) override { destroyed.push_back(k); }
  void on_expectation(const SessionKey& master, const dataplane::Expectation& expectation,
                      bool gone) override {
    (gone ? forgotten : expected).emplace_back(master, expectation);
  }
  void on_dump_entry(const Session& s) override { dumped.push_back(s); }
  void on_dump_done(bool complete) override { done = complete; }
  void on_overrun() override {}
};

inline Session without_timeout(Session s) {
  s.state.timeout_s = 0;
  return s;
}

class KernelTable : public testing::Test {
 protected:
  void SetUp() override {
    if (!space_) GTEST_SKIP() << kNoRights;
    inside_.emplace(space_);
    // A ruleset makes the namespace track, and a nat chain loads what translates.
    ASSERT_EQ(0,
              std::system("nft 'table inet t { chain n { type nat hook postrouting priority 100; };"
                          " chain f { type filter hook forward priority 0;"
                          " ct state invalid drop; }; }'"));
    auto sink = Sink::open();
    ASSERT_TRUE(sink.ok()) << sink.error().message;
    sink_ = std::move(sink).value();
    auto source = Source::open({});
    ASSERT_TRUE(source.ok()) << source.error().message;
    source_ = std::move(source).value();
    sink_->on_refused([this](const SessionKey&, int error) { refused_.push_back(error); });
  }

  std::vector<Session> dump() {
    Recorder seen;
    EXPECT_TRUE(source_->start_dump().ok());
    while (source_->dumping()) source_->poll_dump(seen, 1000);
    EXPECT_EQ(seen.done, true);
    return seen.dumped;
  }
  std::optional<Session> find(const SessionKey& key) {
    for (const Session& s : dump())
      if (s.key == key) return s;
    return std::nullopt;
  }
  void expect_in_kernel(const Session& expected) {
    const auto found = find(expected.key);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(without_timeout(*found), without_timeout(expected));
  }

  Namespace space_;
  std::optional<Inside> inside_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<Source> source_;
  std::vector<int> refused_;
};

}  // namespace hotpair::conntrack::test
