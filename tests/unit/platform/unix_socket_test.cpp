#include "platform/linux/unix_socket.hpp"

#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/line_client.hpp"
#include "platform/linux/line_server.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::sys {
namespace {

using test::TemporaryDirectory;
using Outcome = UnixSocket::Outcome;

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(UnixSocketTest, a_message_arrives_whole_and_alone) {
  const TemporaryDirectory directory;
  auto listener = UnixListener::listen(directory.file("s"), UnixKind::seqpacket);
  ASSERT_TRUE(listener.ok());
  auto client = UnixSocket::connect(directory.file("s"), UnixKind::seqpacket);
  ASSERT_TRUE(client.ok());
  auto server = listener->accept();
  ASSERT_TRUE(server.has_value());
  EXPECT_EQ(server->peer_pid(), getpid());
  EXPECT_EQ(client->send(bytes_of("one")), Outcome::done);
  EXPECT_EQ(client->send(bytes_of("three")), Outcome::done);
  std::vector<std::uint8_t> message;
  EXPECT_EQ(server->receive(message, 100), Outcome::done);
  EXPECT_EQ(std::string(message.begin(), message.end()), "one");
  EXPECT_EQ(server->receive(message, 4), Outcome::too_long);
  EXPECT_EQ(server->receive(message, 4), Outcome::would_block);
  client = UnixSocket();
  EXPECT_EQ(server->receive(message, 4), Outcome::closed);
  EXPECT_EQ(server->send(bytes_of("late")), Outcome::closed);
}

TEST(UnixSocketTest, a_peer_that_does_not_read_never_blocks_the_sender) {
  const TemporaryDirectory directory;
  auto listener = UnixListener::listen(directory.file("s"), UnixKind::seqpacket);
  auto client = UnixSocket::connect(directory.file("s"), UnixKind::seqpacket);
  const std::string message(4096, 'x');
  Outcome outcome = Outcome::done;
  for (int i = 0; i < 10'000 && outcome == Outcome::done; ++i)
    outcome = client->send(bytes_of(message));
  EXPECT_EQ(outcome, Outcome::would_block);
}

TEST(UnixListenerTest, the_socket_is_for_owner_and_group_and_goes_with_its_listener) {
  const TemporaryDirectory directory;
  {
    auto listener = UnixListener::listen(directory.file("s"), UnixKind::stream);
    ASSERT_TRUE(listener.ok());
    struct stat facts {};
    ASSERT_EQ(stat(directory.file("s").c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0660u);
  }
  EXPECT_NE(access(directory.file("s").c_str(), F_OK), 0);
}

TEST(UnixListenerTest, a_file_that_a_dead_process_left_is_replaced) {
  const TemporaryDirectory directory;
  {
    auto first = UnixListener::listen(directory.file("s"), UnixKind::stream);
    ASSERT_TRUE(first.ok());
    ASSERT_EQ(link(directory.file("s").c_str(), directory.file("kept").c_str()), 0);
  }
  ASSERT_EQ(rename(directory.file("kept").c_str(), directory.file("s").c_str()), 0);
  EXPECT_TRUE(UnixListener::listen(directory.file("s"), UnixKind::stream).ok());
}

TEST(UnixListenerTest, a_file_that_somebody_listens_on_is_left_alone) {
  const TemporaryDirectory directory;
  auto first = UnixListener::listen(directory.file("s"), UnixKind::stream);
  ASSERT_TRUE(first.ok());
  for (UnixKind kind : {UnixKind::stream, UnixKind::seqpacket}) {
    auto second = UnixListener::listen(directory.file("s"), kind);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().message.find("another process listens on "), 0u);
  }
  EXPECT_TRUE(UnixSocket::connect(directory.file("s"), UnixKind::stream).ok());
}

TEST(UnixListenerTest, a_file_that_is_no_socket_is_not_removed) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("s", "precious");
  EXPECT_FALSE(UnixListener::listen(path, UnixKind::stream).ok());
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
}

TEST(UnixListenerTest, a_path_longer_than_the_kernel_takes_is_refused_by_name) {
  const std::string path = "/tmp/" + std::string(200, 'x');
  EXPECT_FALSE(UnixListener::listen(path, UnixKind::stream).ok());
}

// A server that answers with the request in brackets, and its loop in a thread of its own.
class LineServerTest : public testing::Test {
 protected:
  void start(std::function<void(LineServer&, ConnectionId, std::string_view)> handler,
             std::size_t max_line = 100) {
    loop_ = std::move(*EventLoop::create());
    LineServerOptions options;
    options.path = directory_.file("control");
    options.max_line = max_line;
    options.max_connections = 2;
    options.too_long_answer = "too long";
    server_ = std::move(*LineServer::listen(
        *loop_, options,
        [this, handler](ConnectionId id, std::string_view line) { handler(*server_, id, line); }));
    thread_ = std::thread([this] { loop_->run(); });
  }
  void echo() {
    start([](LineServer& server, ConnectionId id, std::string_view line) {
      server.answer(id, "[" + std::string(line) + "]");
    });
  }
  LineClient connect() { return std::move(*LineClient::connect(directory_.file("control"))); }

  ~LineServerTest() override {
    if (!thread_.joinable()) return;
    loop_->post([this] {
      server_.reset();
      loop_->stop();
    });
    thread_.join();
  }

  TemporaryDirectory directory_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<LineServer> server_;
  std::thread thread_;
};

TEST_F(LineServerTest, a_connection_carries_many_requests_in_turn) {
  echo();
  LineClient client = connect();
  for (const char* text : {"one", "two", ""})
    EXPECT_EQ(*client.request(text, 5s), "[" + std::string(text) + "]");
}

TEST_F(LineServerTest, requests_sent_at_once_are_answered_in_order) {
  echo();
  LineClient client = connect();
  EXPECT_EQ(*client.request("one\ntwo\nthree", 5s), "[one]");
}

TEST_F(LineServerTest, an_answer_may_come_later) {
  start([this](LineServer& server, ConnectionId id, std::string_view) {
    loop_->post([&server, id] { server.answer(id, "later"); });
  });
  LineClient client = connect();
  EXPECT_EQ(*client.request("one", 5s), "later");
  EXPECT_EQ(*client.request("two", 5s), "later");
}

TEST_F(LineServerTest, a_request_over_the_bound_is_told_so_and_cut_off) {
  echo();
  LineClient client = connect();
  EXPECT_EQ(*client.request(std::string(101, 'x'), 5s), "too long");
  const auto after = client.request("again", 5s);
  EXPECT_FALSE(after.ok());
  EXPECT_EQ(*connect().request(std::string(100, 'x'), 5s), "[" + std::string(100, 'x') + "]");
}

TEST_F(LineServerTest, an_endless_line_does_not_grow_a_buffer) {
  echo();
  auto raw = std::move(*UnixSocket::connect(directory_.file("control"), UnixKind::stream));
  const std::string chunk(64 * 1024, 'x');
  Outcome outcome = Outcome::done;
  for (int i = 0; i < 1'000'000 && outcome != Outcome::closed; ++i)
    outcome = raw.send(bytes_of(chunk));
  EXPECT_EQ(outcome, Outcome::closed);
}

TEST_F(LineServerTest, an_answer_of_megabytes_arrives_whole) {
  start([](LineServer& server, ConnectionId id, std::string_view) {
    server.answer(id, std::string(5'000'000, 'y'));
  });
  EXPECT_EQ(connect().request("give", 10s)->size(), 5'000'000u);
}

TEST_F(LineServerTest, connections_that_ask_nothing_do_not_lock_others_out) {
  echo();
  LineClient first = connect();
  LineClient second = connect();
  EXPECT_TRUE(first.request("1", 5s).ok());
  EXPECT_TRUE(second.request("2", 5s).ok());
  LineClient third = connect();
  EXPECT_EQ(*third.request("3", 5s), "[3]");
  EXPECT_FALSE(first.request("again", 5s).ok());  // at rest for longest
  EXPECT_TRUE(second.request("again", 5s).ok());
}

TEST_F(LineServerTest, connections_beyond_the_bound_wait_while_all_are_served) {
  std::vector<ConnectionId> served;
  start([&](LineServer& server, ConnectionId id, std::string_view line) {
    if (line == "wait") return served.push_back(id);
    if (line == "end")
      for (const ConnectionId waiting : served) server.answer(waiting, "served");
    server.answer(id, "[" + std::string(line) + "]");
  });
  auto raw = std::move(*UnixSocket::connect(directory_.file("control"), UnixKind::stream));
  EXPECT_EQ(raw.send(bytes_of("wait\n")), Outcome::done);
  LineClient second = connect();
  EXPECT_EQ(*second.request("2", 5s), "[2]");
  auto other = std::move(*UnixSocket::connect(directory_.file("control"), UnixKind::stream));
  EXPECT_EQ(other.send(bytes_of("wait\n")), Outcome::done);  // takes the place of the second
  EXPECT_FALSE(second.request("again", 5s).ok());
  LineClient fourth = connect();
  EXPECT_FALSE(fourth.request("4", 50ms).ok());
}

TEST_F(LineServerTest, a_client_that_leaves_before_its_answer_harms_nobody) {
  start([this](LineServer& server, ConnectionId id, std::string_view line) {
    if (line == "slow")
      loop_->post([&server, id] { server.answer(id, std::string(1'000'000, 'z')); });
    else
      server.answer_and_close(id, "fine");
  });
  for (int i = 0; i < 50; ++i) {
    auto raw = std::move(*UnixSocket::connect(directory_.file("control"), UnixKind::stream));
    EXPECT_EQ(raw.send(bytes_of("slow\n")), Outcome::done);
  }
  EXPECT_EQ(*connect().request("ok", 5s), "fine");
}

TEST(LineClientTest, nobody_listening_is_said_with_what_to_do) {
  const auto client = LineClient::connect("/nonexistent/control");
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().message, "nobody listens on /nonexistent/control");
}

}  // namespace
}  // namespace hotpair::sys
