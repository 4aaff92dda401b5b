// The filter in the kernel and judge() agree, message by message; and on real events it drops what
// the options leave out before it is queued.
#include <array>

#include <sys/socket.h>

#include "dataplane/conntrack/event_filter.hpp"
#include "dataplane/conntrack/requests.hpp"
#include "tests/unit/dataplane/conntrack_kernel_table.hpp"
#include "tests/unit/dataplane/made_sessions.hpp"

namespace hotpair::conntrack {
namespace {

using namespace test;
using dataplane::Pickup;
using dataplane::PickupOptions;

// A socket whose kernel side runs the filter: what is dropped is not there to be read.
class Sieve {
 public:
  explicit Sieve(const PickupOptions& options) {
    int fds[2];
    EXPECT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds));
    in_.reset(fds[0]);
    out_.reset(fds[1]);
    std::vector<sock_filter> program = event_filter(options);
    const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
    EXPECT_EQ(0, setsockopt(out_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached));
  }
  bool passes(Bytes message) {
    (void)send(in_.get(), message.data(), message.size(), 0);
    std::array<std::uint8_t, 4096> got;
    return recv(out_.get(), got.data(), got.size(), 0) > 0;
  }
  bool passes(const Session& session) {
    RequestWriter writer(1);
    writer.create(session, 60, 1);  // an event looks the same
    return passes(writer.written());
  }

 private:
  sys::FileDescriptor in_, out_;
};

dataplane::Prefix prefix(const char* text, std::uint8_t length) {
  const bool ipv6 = std::string(text).find(':') != std::string::npos;
  return {.address = address(text).bytes, .length = length, .ipv6 = ipv6};
}

PickupOptions made_options(Rng& rng) {
  PickupOptions options;
  options.enabled = rng.chance(15, 16);
  options.udp = rng.chance(1, 2);
  options.icmp = rng.chance(1, 2);
  options.sctp = rng.chance(1, 2);
  options.only_assured = rng.chance(1, 2);
  if (rng.chance(1, 2)) options.exclude.push_back(prefix("192.0.2.64", 26));
  if (rng.chance(1, 2)) options.exclude.push_back(prefix("10.0.0.7", 32));
  if (rng.chance(1, 2)) options.exclude.push_back(prefix("2000::c000:0200", 121));
  if (rng.chance(1, 8)) options.exclude.push_back(prefix("2000::", 3));
  if (rng.chance(1, 16)) options.exclude.push_back(prefix("0.0.0.0", 0));
  return options;
}

TEST(EventFilter, AgreesWithTheJudgeOnEverySession) {
  Rng rng(1);
  std::size_t carried = 0, dropped = 0;
  for (int round = 0; round < 60; ++round) {
    const PickupOptions options = made_options(rng);
    Sieve sieve(options);
    for (std::uint64_t n = 0; n < 200; ++n) {
      Session s =
          dataplane::testing::made_session(dataplane::testing::made_key(rng.below(1'000'000)), rng);
      if (rng.chance(1, 8))
        s.key.protocol = s.key.ipv6 ? dataplane::kProtocolIcmpv6 : dataplane::kProtocolIcmp;
      if (rng.chance(1, 16)) s.key.protocol = IPPROTO_ESP;
      s = dataplane::normalised(s);
      const bool wanted = judge(options, s) == Pickup::carry;
      ++(wanted ? carried : dropped);
      ASSERT_EQ(sieve.passes(s), wanted) << "round " << round << ", session " << n;
    }
  }
  EXPECT_GT(carried, 1000u);
  EXPECT_GT(dropped, 1000u);
}

TEST(EventFilter, DropsThisBoxsLoopback) {
  Sieve sieve({.enabled = true, .exclude = {}});
  EXPECT_FALSE(sieve.passes(tcp("127.0.0.1", "127.0.0.1", 40000, 22)));
  EXPECT_FALSE(sieve.passes(tcp("::1", "::1", 40000, 22)));
  EXPECT_TRUE(sieve.passes(tcp("::2", "::1", 40000, 22)));
}

TEST(EventFilter, PassesWhatItCannotReadAndWhatIsExpected) {
  Sieve sieve({.enabled = true, .udp = false, .only_assured = true, .exclude = {}});
  RequestWriter writer(1);
  const Session master = udp("192.0.2.1", "198.51.100.1", 5060, 5060);
  writer.expect(master, {}, 60, true, 1);
  EXPECT_TRUE(sieve.passes(writer.written()));
  writer.clear();
  writer.create(master, 60, 1);
  EXPECT_FALSE(sieve.passes(writer.written()));
  EXPECT_TRUE(sieve.passes(writer.written().first(20))) << "no attribute at all";
}

TEST(EventFilter, OfMorePrefixesThanAProgramHoldsTheFirstAreInIt) {
  PickupOptions options{.enabled = true, .exclude = {}};
  for (unsigned i = 0; i < 1000; ++i) {
    options.exclude.push_back(prefix("10.0.0.0", 32));
    options.exclude.back().address[2] = static_cast<std::uint8_t>(i / 256);
    options.exclude.back().address[3] = static_cast<std::uint8_t>(i % 256);
    options.exclude.push_back(prefix("2001:db8::", 128));
    options.exclude.back().address[15] = static_cast<std::uint8_t>(i % 256);
  }
  EXPECT_LE(event_filter(options).size(), std::size_t{BPF_MAXINSNS});
  Sieve sieve(options);
  EXPECT_FALSE(sieve.passes(tcp("10.0.0.5", "192.0.2.1", 1, 2)));
  EXPECT_TRUE(sieve.passes(tcp("10.0.3.200", "192.0.2.1", 1, 2))) << "judged when it is read";
  EXPECT_FALSE(sieve.passes(tcp("2001:db8::3", "2001::1", 1, 2)));
}

using ConntrackEvents = KernelTable;

TEST_F(ConntrackEvents, WhatTheOptionsLeaveOutIsNotEvenRead) {
  Session young = udp("192.0.2.1", "198.51.100.1", 1000, 53);
  Session old = udp("192.0.2.1", "198.51.100.1", 1001, 53);
  old.state.status |= kAssured;
  ASSERT_TRUE(source_->set_pickup({.enabled = true, .only_assured = true, .exclude = {}}).ok());
  ASSERT_TRUE(source_->subscribe().ok());
  const auto story = [&] {
    for (const Session& s : {young, old}) sink_->upsert(s, 60, true);
    sink_->flush();
    for (const Session& s : {young, old}) sink_->remove(s.key);
    sink_->flush();
    Recorder seen;
    source_->poll_events(seen, 1000);
    return seen;
  };
  Recorder seen = story();
  EXPECT_EQ(source_->counters().events, 2u) << "the beginning and the end of one of the two";
  EXPECT_THAT(seen.destroyed, testing::ElementsAre(old.key));

  ASSERT_TRUE(source_->set_pickup({.enabled = true, .udp = false, .exclude = {}}).ok());
  story();
  EXPECT_EQ(source_->counters().events, 2u);

  ASSERT_TRUE(source_->set_pickup({.enabled = true, .exclude = {}}).ok());
  EXPECT_THAT(story().destroyed, testing::ElementsAre(young.key, old.key));
  EXPECT_EQ(source_->counters().events, 6u);
}

// The kernel can be told to raise fewer events at all, by the ruleset: what is left is enough.
TEST_F(ConntrackEvents, RulesThatRaiseFewerEventsLeaveAssuredSessionsCarried) {
  ASSERT_EQ(0,
            std::system("ip link set lo up; nft 'table inet e { chain o { type filter hook output"
                        " priority -150; meta l4proto udp ct event set assured,destroy; }; }'"));
  ASSERT_TRUE(source_->subscribe().ok());
  ASSERT_EQ(
      0, std::system("python3 -c '\n"
                     "import socket\n"
                     "a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in \"ab\")\n"
                     "a.bind((\"127.0.0.1\", 7001)); b.bind((\"127.0.0.1\", 7002))\n"
                     "a.sendto(b\"x\", (\"127.0.0.1\", 7002)); b.recv(1)\n"
                     "b.sendto(b\"x\", (\"127.0.0.1\", 7001)); a.recv(1)\n'"));
  Recorder seen;
  source_->poll_events(seen, 1000);
  EXPECT_THAT(seen.events, testing::IsEmpty()) << "nothing was assured";
}

}  // namespace
}  // namespace hotpair::conntrack
