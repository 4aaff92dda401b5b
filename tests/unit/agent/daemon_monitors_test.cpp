// Remote monitors and the witness: what counts as reached, and real probes between two namespaces.
#include <thread>
#include <tuple>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/daemon/probe_record.hpp"
#include "agent/daemon/remote_monitors.hpp"
#include "platform/linux/clock.hpp"
#include "tests/unit/platform/network_namespace.hpp"

namespace hotpair::daemon {
namespace {

using test::run_command;

TEST(ProbeRecordTest, TheFirstAnswerDecides) {
  ProbeRecord record(3);
  const auto first = record.next();
  EXPECT_EQ(record.reached(), Reached::unknown);
  EXPECT_TRUE(record.answered(first, Instant(1s)));
  EXPECT_EQ(record.reached(), Reached::yes);
  EXPECT_EQ(record.last_answer(), Instant(1s));
}

TEST(ProbeRecordTest, SoManyMissedInARowAreLost) {
  ProbeRecord record(3);
  record.answered(record.next(), Instant(1s));
  record.next();
  record.next();
  record.next();
  EXPECT_EQ(record.reached(), Reached::yes);
  record.next();  // the third has had its interval
  EXPECT_EQ(record.reached(), Reached::no);
  EXPECT_TRUE(record.answered(Instant(2s)));
  EXPECT_EQ(record.reached(), Reached::yes);
}

TEST(ProbeRecordTest, NothingButSilenceFromTheStartIsLostToo) {
  ProbeRecord record(2);
  record.next();
  record.next();
  EXPECT_EQ(record.reached(), Reached::unknown);
  record.next();
  EXPECT_EQ(record.reached(), Reached::no);
}

TEST(ProbeRecordTest, ARoundTripLongerThanTheIntervalIsNoLoss) {
  ProbeRecord record(5);
  std::vector<std::uint16_t> sent;
  for (int i = 0; i < 100; ++i) {
    sent.push_back(record.next());
    if (sent.size() > 3) record.answered(sent[sent.size() - 4], Instant(1s));
  }
  EXPECT_EQ(record.reached(), Reached::yes);
}

TEST(ProbeRecordTest, ALateAnswerTakesNothingBack) {
  ProbeRecord record(2);
  const auto early = record.next();
  record.answered(record.next(), Instant(2s));
  EXPECT_TRUE(record.answered(early, Instant(3s)));
  record.next();
  EXPECT_EQ(record.reached(), Reached::yes);
}

TEST(ProbeRecordTest, AnAnswerToWhatWasNeverAskedIsRefused) {
  ProbeRecord record(2, 100);
  EXPECT_FALSE(record.answered(Instant(1s)));
  const auto first = record.next();
  EXPECT_FALSE(record.answered(static_cast<std::uint16_t>(first - 1), Instant(1s)));
  EXPECT_FALSE(record.answered(static_cast<std::uint16_t>(first + 1), Instant(1s)));
  EXPECT_EQ(record.reached(), Reached::unknown);
}

config::AddressPrefix prefix(const std::string& text) {
  const auto parsed = *sys::parse_ip_prefix(text);
  return {parsed.address.ipv6, parsed.address.bytes, parsed.length, text};
}

config::Config monitoring(const std::vector<std::string>& addresses) {
  config::Config config;
  config.cluster.redundant_interfaces = {
      {"wan", {prefix("198.51.100.1/24"), prefix("2001:db8:2::1/64")}, false}};
  for (const auto& address : addresses)
    config.cluster.monitor.remote.push_back({address, "wan", 20ms, 3, 100});
  config.node.interfaces["wan"] = "va";
  return config;
}

TEST(RemoteMonitorsTest, OnLinkIsWhatThePairHasAddressesOf) {
  const auto method = [](const std::string& address) {
    const auto config = monitoring({address});
    return probe_target(config, config.cluster.monitor.remote[0]).method;
  };
  EXPECT_EQ(method("198.51.100.254"), ProbeMethod::arp);
  EXPECT_EQ(method("198.51.101.254"), ProbeMethod::echo);
  EXPECT_EQ(method("2001:db8:2::fe"), ProbeMethod::neighbour);
  EXPECT_EQ(method("2001:db8:3::fe"), ProbeMethod::echo);
  EXPECT_EQ(method("fe80::1"), ProbeMethod::neighbour);
}

// The test's own namespace is a node without addresses on `va`; the far end of the cable lives in a
// process with a namespace of its own and holds the addresses that are asked for.
class FarEnd {
 public:
  FarEnd() {
    int ready[2];
    if (pipe(ready) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      char word = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
      (void)!write(ready[1], &word, 1);
      pause();
      _exit(0);
    }
    char word = 'n';
    ok_ = read(ready[0], &word, 1) == 1 && word == 'y';
    close(ready[0]);
    close(ready[1]);
    const std::string pid = std::to_string(pid_);
    ok_ = ok_ &&
          run_command(
              "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0") &&
          run_command("ip link add va type veth peer name vz netns " + pid) &&
          there("ip link set vz up") && run_command("ip link set va up") &&
          there("ip address add 198.51.100.254/24 dev vz") &&
          there("ip address add 2001:db8:2::fe/64 dev vz nodad") &&
          there("ip address add 203.0.113.9/32 dev vz");
  }
  ~FarEnd() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  bool there(const std::string& command) {
    return run_command("nsenter -t " + std::to_string(pid_) + " -n " + command);
  }
  bool ok() const { return ok_; }

 private:
  pid_t pid_ = -1;
  bool ok_ = false;
};

struct Monitoring {
  Monitoring() { EXPECT_TRUE(links); }

  bool until(const std::function<bool()>& done, Duration patience = 20s) {
    const Instant end = sys::now() + patience;
    while (!done() && sys::now() < end) loop->run_once(10ms);
    return done();
  }
  void emit(const EventBody& event) {
    if (const auto* changed = std::get_if<agent::RemoteMonitorsChanged>(&event))
      std::tie(reached, known) = std::tuple(changed->reached, changed->known);
    if (const auto* changed = std::get_if<agent::WitnessChanged>(&event))
      witness = changed->answers;
  }

  std::unique_ptr<sys::EventLoop> loop = std::move(*sys::EventLoop::create());
  std::unique_ptr<sys::LinkMonitor> links = std::move(*sys::LinkMonitor::open());
  std::optional<std::uint32_t> reached, known;
  std::optional<bool> witness;
  Prober prober{*loop, *links};
};

HOTPAIR_NETWORK_TEST(RemoteMonitorsTest, ANodeWithoutAddressesAsksByArpAndNeighbourDiscovery) {
  FarEnd far;
  ASSERT_TRUE(far.ok());
  Monitoring m;
  RemoteMonitors monitors(m.prober, [&m](const auto& event) { m.emit(event); });
  monitors.configure(monitoring({"198.51.100.254", "2001:db8:2::fe", "198.51.100.77"}));
  // The device has a link-local address only some time after it came up.
  ASSERT_TRUE(m.until([&] { return m.reached == 0b011u && m.known == 0b111u; }));
  const auto rows = monitors.rows();
  EXPECT_EQ(rows[0].method, "arp");
  EXPECT_EQ(rows[1].method, "nd");
  EXPECT_EQ(rows[2].reached, Reached::no);
  EXPECT_TRUE(rows[0].last_answer.has_value());
  EXPECT_EQ(rows[0].trouble + rows[1].trouble, "");
}

HOTPAIR_NETWORK_TEST(RemoteMonitorsTest, AnAddressThatGoesIsLostAndThatComesBackIsReached) {
  FarEnd far;
  ASSERT_TRUE(far.ok());
  Monitoring m;
  RemoteMonitors monitors(m.prober, [&m](const auto& event) { m.emit(event); });
  monitors.configure(monitoring({"198.51.100.254", "2001:db8:2::fe"}));
  ASSERT_TRUE(m.until([&] { return m.reached == 0b11u; }));
  ASSERT_TRUE(far.there("ip address del 198.51.100.254/24 dev vz"));
  EXPECT_TRUE(m.until([&] { return m.reached == 0b10u; }));
  ASSERT_TRUE(far.there("ip address add 198.51.100.254/24 dev vz"));
  EXPECT_TRUE(m.until([&] { return m.reached == 0b11u; }));
}

HOTPAIR_NETWORK_TEST(RemoteMonitorsTest, BeyondTheLinkItAsksByEchoFromItsOwnAddress) {
  FarEnd far;
  ASSERT_TRUE(far.ok());
  ASSERT_TRUE(
      run_command("ip address add 198.51.100.2/24 dev va && "
                  "ip route add 203.0.113.9 via 198.51.100.254"));
  Monitoring m;
  RemoteMonitors monitors(m.prober, [&m](const auto& event) { m.emit(event); });
  monitors.configure(monitoring({"203.0.113.9", "203.0.113.10"}));
  ASSERT_TRUE(m.until([&] { return m.known == 0b11u; }));
  EXPECT_EQ(*m.reached, 0b01u);
  EXPECT_EQ(monitors.rows()[0].method, "icmp");
}

HOTPAIR_NETWORK_TEST(RemoteMonitorsTest, AReloadKeepsWhatIsKnown) {
  FarEnd far;
  ASSERT_TRUE(far.ok());
  Monitoring m;
  RemoteMonitors monitors(m.prober, [&m](const auto& event) { m.emit(event); });
  monitors.configure(monitoring({"198.51.100.254", "198.51.100.77"}));
  ASSERT_TRUE(m.until([&] { return m.reached == 0b01u && m.known == 0b11u; }));
  monitors.configure(monitoring({"198.51.100.78", "198.51.100.77", "198.51.100.254"}));
  EXPECT_EQ(*m.reached, 0b100u);
  EXPECT_EQ(*m.known, 0b110u);
  EXPECT_TRUE(m.until([&] { return m.known == 0b111u; }));
  EXPECT_EQ(*m.reached, 0b100u);
}

HOTPAIR_NETWORK_TEST(WitnessTest, ItsAnswersAndItsSilenceAreTold) {
  ASSERT_TRUE(run_command("ip address add 192.0.2.9/32 dev lo"));
  Monitoring m;
  Witness witness(m.prober, [&m](const auto& event) { m.emit(event); });
  witness.configure("192.0.2.9");
  ASSERT_TRUE(m.until([&] { return m.witness == true; }));
  ASSERT_TRUE(run_command("ip address del 192.0.2.9/32 dev lo"));
  EXPECT_TRUE(m.until([&] { return m.witness == false; }));
}

// The kernel begins to stamp what arrives a moment after the first socket wants it, a later one on
// a busy box; until then what was read late seems to have come late.
bool stamped_on_arrival(Monitoring& m, const char* address) {
  constexpr Duration kLate = 20ms;
  const auto probe = m.prober.start({.address = *sys::parse_ip(address), .device = ""}, {});
  m.loop->run_once(0ms);  // asks, and is answered at once
  std::this_thread::sleep_for(kLate);
  EXPECT_TRUE(m.until([&] { return m.prober.view(probe).last_answer.has_value(); }));
  const auto answered = m.prober.view(probe).last_answer.value_or(Instant{});
  m.prober.stop(probe);
  return sys::now() - answered >= kLate;
}

HOTPAIR_NETWORK_TEST(WitnessTest, AnAnswerThatWaitedWhileTheLoopStoodStillProvesNothing) {
  ASSERT_TRUE(run_command("ip address add 192.0.2.9/32 dev lo"));
  Monitoring m;
  while (!stamped_on_arrival(m, "192.0.2.9")) continue;
  Witness witness(m.prober, [&m](const auto& event) { m.emit(event); });
  witness.configure("192.0.2.9");
  m.loop->run_once(0ms);  // asks, and is answered at once
  std::this_thread::sleep_for(700ms);
  ASSERT_TRUE(run_command("ip address del 192.0.2.9/32 dev lo"));
  ASSERT_TRUE(m.until([&] { return m.witness.has_value(); }));
  EXPECT_FALSE(*m.witness);
}

}  // namespace
}  // namespace hotpair::daemon
