// The handshake between the agents, and commands that run behind it.
#include <thread>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "agent/daemon/control_schema.hpp"
#include "agent/daemon/peer_exec.hpp"
#include "agent/daemon/peer_handshake.hpp"
#include "platform/linux/message_stream.hpp"

namespace hotpair::daemon {
namespace {

using control::PeerMessage;
using sys::Message;
using sys::MessageStream;

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    one.reset(ends[0]);
    two.reset(ends[1]);
  }
  sys::FileDescriptor one, two;
};

agent::ChannelKeys keys(std::uint8_t send, std::uint8_t receive) {
  agent::ChannelKeys k;
  k.send.fill(send);
  k.receive.fill(receive);
  return k;
}

TEST(PeerHandshakes, ProveBothEnds) {
  Pair pair;
  PeerKeys ours, theirs;
  ours.set(keys(1, 2));
  theirs.set(keys(2, 1));
  std::thread server([&] {
    const auto service = recognise(pair.two.get(), theirs);
    ASSERT_TRUE(service) << service.error().message;
    EXPECT_EQ(*service, PeerService::config);
    EXPECT_TRUE(welcome(pair.two.get()));
  });
  const auto done = ask_for(pair.one.get(), PeerService::config, ours);
  server.join();
  EXPECT_TRUE(done) << done.error().message;
}

TEST(PeerHandshakes, EndWithoutTheKeysAndSayWhyWhenRefused) {
  PeerKeys ours, others;
  ours.set(keys(1, 2));
  others.set(keys(2, 9));
  {
    Pair pair;  // the asker is not known: somebody of the peer's box
    std::thread server([&] {
      const auto service = recognise(pair.two.get(), others);
      EXPECT_FALSE(service);
      refuse(pair.two.get(), "go away");
    });
    const auto done = ask_for(pair.one.get(), PeerService::exec, ours);
    server.join();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, "go away");
  }
  {
    Pair pair;  // who answers is not the peer
    PeerKeys imposter;
    imposter.set(keys(7, 1));
    std::thread server([&] { (void)recognise(pair.two.get(), imposter); });
    const auto done = ask_for(pair.one.get(), PeerService::exec, ours);
    pair.one.reset();
    server.join();
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("not the peer"), std::string::npos);
  }
}

// What a command said and how it ended, served as for a peer.
struct Served {
  std::string output, errors, refused;
  int signalled = -1, code = -1;
};

Served run(const std::vector<std::string>& words, const std::string& input) {
  Pair pair;
  const sys::FileDescriptor stop(eventfd(0, EFD_CLOEXEC));
  std::thread server([&] {
    serve_peer_exec(std::move(pair.two), stop.get(), {"/run/here", "/state/here"}, Log());
  });
  MessageStream stream(std::move(pair.one));
  std::string start(5, '\0');
  start += '\0';
  for (const auto& word : words) start += word + '\0';
  const auto send = [&](PeerMessage type, const std::string& body) {
    (void)stream.send(static_cast<std::uint8_t>(type), std::string_view(body), 5s);
  };
  send(PeerMessage::start, start);
  if (!input.empty()) send(PeerMessage::input, input);
  send(PeerMessage::input, "");
  Served served;
  Message message;
  while (stream.receive(message, 10s) == MessageStream::Outcome::done) {
    switch (static_cast<PeerMessage>(message.type)) {
      case PeerMessage::output:
        served.output += message.text();
        break;
      case PeerMessage::errors:
        served.errors += message.text();
        break;
      case PeerMessage::refused:
        served.refused = message.text();
        break;
      case PeerMessage::ended:
        served.signalled = message.payload.at(0);
        served.code = message.payload.at(1);
        break;
      default:
        break;
    }
  }
  server.join();
  return served;
}

TEST(PeerExec, RelaysStreamsAndTheEnd) {
  const Served served = run({"sh", "-c", "cat; echo wrong >&2; exit 7"}, "copied");
  EXPECT_EQ(served.output, "copied");
  EXPECT_EQ(served.errors, "wrong\n");
  EXPECT_EQ(served.signalled, 0);
  EXPECT_EQ(served.code, 7);
  EXPECT_EQ(run({"sh", "-c", "echo $HOTPAIR_RUN_DIR $HOTPAIR_STATE_DIR"}, "").output,
            "/run/here /state/here\n");
  EXPECT_EQ(run({"sh", "-c", "kill -KILL $$"}, "").signalled, 1);
}

TEST(PeerExec, EndsLikeAShellForWhatCannotBeStarted) {
  const Served missing = run({"/no/such/program"}, "");
  EXPECT_NE(missing.errors.find("cannot start /no/such/program"), std::string::npos);
  EXPECT_EQ(missing.code, 127);
  EXPECT_EQ(run({"/etc/passwd"}, "").code, 126);
  EXPECT_EQ(missing.refused, "");
}

TEST(MessageStreams, AreBoundedAndGoInPieces) {
  Pair pair;
  MessageStream one(std::move(pair.one), 100), two(std::move(pair.two), 50);
  Message message;
  EXPECT_EQ(two.receive(message, Duration::zero()), MessageStream::Outcome::timed_out);
  EXPECT_EQ(one.send(1, std::string_view("hello"), 1s), MessageStream::Outcome::done);
  EXPECT_EQ(one.send(2, std::string_view(), 1s), MessageStream::Outcome::done);
  EXPECT_EQ(two.receive(message, 1s), MessageStream::Outcome::done);
  EXPECT_EQ(message.text(), "hello");
  EXPECT_EQ(two.receive(message, 1s), MessageStream::Outcome::done);
  EXPECT_EQ(message.type, 2);
  EXPECT_EQ(one.send(3, std::string(101, 'x'), 1s), MessageStream::Outcome::too_long);
  EXPECT_EQ(one.send(3, std::string(60, 'x'), 1s), MessageStream::Outcome::done);
  EXPECT_EQ(two.receive(message, 1s), MessageStream::Outcome::too_long);
}

}  // namespace
}  // namespace hotpair::daemon
