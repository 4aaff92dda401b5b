// The small HTTP server: what it answers, and that no client can take more than its share.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "platform/linux/http_server.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::sys {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(HttpMessageTest, ReadsAHead) {
  const std::string head =
      "GET /metrics?name=a HTTP/1.1\r\nHost: fw1:9184\r\nX-Two:  spaced \r\n\r\nrest";
  EXPECT_EQ(end_of_head(head), head.size() - 4);
  const auto request = parse_http_request(head.substr(0, head.size() - 4));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->path, "/metrics");
  EXPECT_EQ(request->query, "name=a");
  EXPECT_EQ(request->field("host"), "fw1:9184");
  EXPECT_EQ(request->field("x-two"), "spaced");
  EXPECT_EQ(request->field("cookie"), "");
  EXPECT_TRUE(parse_http_request("GET / HTTP/1.0\n\n"));
  EXPECT_FALSE(end_of_head("GET / HTTP/1.1\r\nHost: a\r\n"));
}

TEST(HttpMessageTest, RefusesWhatIsNoRequest) {
  for (const char* head :
       {"\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET a HTTP/1.1\r\n\r\n",
        "G T / HTTP/1.1\r\n\r\n", "GET / x HTTP/1.1\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nspace : a\r\n\r\n",
        "GET / HTTP/1.1\r\na: \x01\r\n\r\n"})
    EXPECT_FALSE(parse_http_request(head)) << head;
  std::string many = "GET / HTTP/1.1\r\n";
  for (std::size_t i = 0; i <= kMaxHttpFields; ++i) many += "a: b\r\n";
  EXPECT_FALSE(parse_http_request(many + "\r\n"));
}

TEST(ListenAddressTest, IsAnAddressWithAPortOrAPath) {
  for (const char* text : {"127.0.0.1:9184", "[2001:db8::1]:80", "/run/hotpair/metrics.sock"}) {
    const auto address = parse_listen_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_text(*address), text);
  }
  for (const char* text :
       {"", "9184", ":9184", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+1",
        "127.0.0.1:1x", "::1:80", "[127.0.0.1]:80", "fw1:80", "relative/path", "/directory/"})
    EXPECT_FALSE(parse_listen_address(text)) << text;
  EXPECT_FALSE(parse_listen_address("/" + std::string(107, 'x')));
}

// A server in a thread of its own, asked over a Unix socket.
class HttpServerTest : public testing::Test {
 protected:
  void serve(HttpLimits limits = {}) {
    loop_ = std::move(EventLoop::create()).value();
    const auto handler = [](const HttpRequest& request) {
      HttpResponse response;
      response.body = request.path == "/big" ? std::string(kBig, 'b') : "you asked " + request.path;
      return response;
    };
    server_ =
        std::move(HttpServer::listen(*loop_, {directory_.file("s")}, handler, limits)).value();
    thread_ = std::thread([this] { loop_->run(); });
  }
  void TearDown() override {
    loop_->post([this] { loop_->stop(); });
    thread_.join();
  }

  // While the kernel's queue of newcomers is full it is tried again.
  FileDescriptor connect() {
    for (;;) {
      auto socket = UnixSocket::connect(directory_.file("s"), UnixKind::stream);
      if (socket) return std::move(*socket).take();
      std::this_thread::yield();
    }
  }
  static void say(const FileDescriptor& client, const std::string& text) {
    ASSERT_EQ(send(client.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // Until the server ends the connection.
  static std::string hear(const FileDescriptor& client) {
    std::string all;
    char chunk[4096];
    pollfd_wait(client);
    for (;;) {
      const ssize_t got = recv(client.get(), chunk, sizeof chunk, 0);
      if (got > 0) all.append(chunk, static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EAGAIN)) return all;
      if (got < 0) pollfd_wait(client);
    }
  }
  std::string ask(const std::string& request) {
    const auto client = connect();
    say(client, request);
    return hear(client);
  }

  static constexpr std::size_t kBig = 4 << 20;
  test::TemporaryDirectory directory_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;

 private:
  static void pollfd_wait(const FileDescriptor& client) {
    pollfd waited{client.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&waited, 1, 10'000), 1) << "the server is silent";
  }
};

TEST_F(HttpServerTest, AnswersAndEndsTheConnection) {
  serve();
  const std::string answer = ask("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 12\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nyou asked /a"));
}

TEST_F(HttpServerTest, TakesARequestInPieces) {
  serve();
  const auto client = connect();
  say(client, "GET /pie");
  say(client, "ces HTTP/1.1\r\nHost: x\r\n");
  say(client, "\r\n");
  EXPECT_THAT(hear(client), HasSubstr("you asked /pieces"));
}

TEST_F(HttpServerTest, LeavesTheBodyOutOfHead) {
  serve();
  EXPECT_THAT(ask("HEAD /a HTTP/1.1\r\n\r\n"), testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, RefusesWhatItDoesNotServe) {
  serve();
  EXPECT_THAT(ask("POST /a HTTP/1.1\r\n\r\n"), HasSubstr("405 Method Not Allowed"));
  EXPECT_THAT(ask("\x16\x03\x01 tls?\n\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nA: " + std::string(kMaxHttpHead, 'a')),
              StartsWith("HTTP/1.1 431"));
}

TEST_F(HttpServerTest, SendsABigAnswerToASlowReaderWhole) {
  serve();
  const auto client = connect();
  say(client, "GET /big HTTP/1.1\r\n\r\n");
  EXPECT_GT(hear(client).size(), kBig);
}

TEST_F(HttpServerTest, WhoIsSlowToAskIsLeft) {
  serve({.ask_within = 50ms});
  const auto client = connect();
  say(client, "GET / HT");
  EXPECT_EQ(hear(client), "");
}

TEST_F(HttpServerTest, WhoDoesNotReadIsLeft) {
  serve({.read_within = 50ms});
  const auto client = connect();
  say(client, "GET /big HTTP/1.1\r\n\r\n");
  pollfd gone{client.get(), POLLRDHUP, 0};
  EXPECT_EQ(::poll(&gone, 1, 10'000), 1);
}

TEST_F(HttpServerTest, AThousandSilentClientsDoNotLockOutOneThatAsks) {
  serve({.max_connections = 4});
  std::vector<FileDescriptor> silent;
  for (int i = 0; i < 1000; ++i) {
    silent.push_back(connect());
    if (i % 100 != 0) continue;
    EXPECT_THAT(ask("GET /a HTTP/1.1\r\n\r\n"), HasSubstr("you asked /a"));
  }
}

}  // namespace
}  // namespace hotpair::sys
