// Connections that an engine begins: their end is heard at both ends.
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "agent/daemon/config_engine.hpp"
#include "agent/daemon/peer_calls.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::daemon {
namespace {

using namespace std::chrono_literals;
using Outcome = sys::MessageStream::Outcome;

// The peer's ends of what was dialled.
struct Peer {
  PeerCalls::Dial dial() {
    return [this]() -> Result<sys::FileDescriptor> {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail_with("none");
      accepted.set_value(sys::FileDescriptor(ends[1]));
      return sys::FileDescriptor(ends[0]);
    };
  }
  std::promise<sys::FileDescriptor> accepted;
};

TEST(PeerCallsTest, a_call_ends_at_the_other_end_as_soon_as_it_is_let_go) {
  Peer peer;
  PeerCalls calls(peer.dial(), 1024);
  auto call = calls.dial();
  ASSERT_TRUE(call.ok());
  sys::MessageStream other(peer.accepted.get_future().get());
  call->reset();
  sys::Message message;
  EXPECT_EQ(other.receive(message, 5s), Outcome::closed);
}

TEST(PeerCallsTest, who_waits_for_an_answer_hears_that_the_agent_ends) {
  Peer peer;
  PeerCalls calls(peer.dial(), 1024);
  auto call = calls.dial();
  ASSERT_TRUE(call.ok());
  std::thread ending([&] { calls.end(); });
  sys::Message message;
  EXPECT_EQ((*call)->receive(message, 5s), Outcome::closed);
  ending.join();
  EXPECT_FALSE(calls.dial().ok()) << "and there are no more";
}

TEST(PeerCallsTest, a_round_of_the_configuration_keeps_no_connection) {
  test::TemporaryDirectory directory;
  Peer peer;
  ConfigEngine sender(peer.dial(), directory.file("one"), Log());
  ConfigEngine receiver([] { return fail_with("never asked"); }, directory.file("two"), Log());
  auto served =
      std::async(std::launch::async, [&] { receiver.serve(peer.accepted.get_future().get()); });
  const Status done = sender.round(false);
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_EQ(served.wait_for(5s), std::future_status::ready) << "the peer still waits for more";
}

}  // namespace
}  // namespace hotpair::daemon
