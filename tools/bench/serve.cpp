// hotpair-bench serve: sends everything back, TCP and UDP, IPv4 and IPv6.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "platform/linux/event_loop.hpp"
#include "tools/bench/commands.hpp"
#include "tools/bench/endpoint.hpp"

namespace hotpair::bench {
namespace {

constexpr int kBacklog = 4096;
constexpr int kPerTurn = 64;  // datagrams or connections handled before others have their turn

class EchoServer {
 public:
  explicit EchoServer(sys::EventLoop& loop) : loop_(loop) {}

  Status listen(const Endpoint& endpoint) {
    auto tcp = open_bound_socket(endpoint, SOCK_STREAM);
    if (!tcp) return fail(tcp.error());
    auto udp = open_bound_socket(endpoint, SOCK_DGRAM);
    if (!udp) return fail(udp.error());
    if (::listen(tcp->get(), kBacklog) != 0) return fail_with("cannot listen on a TCP socket");
    const int tcp_fd = tcp->get();
    const int udp_fd = udp->get();
    held_.push_back(std::move(*tcp));
    held_.push_back(std::move(*udp));
    Status added = loop_.add(tcp_fd, EPOLLIN, [this, tcp_fd](std::uint32_t) { accept(tcp_fd); });
    if (!added) return added;
    return loop_.add(udp_fd, EPOLLIN, [udp_fd](std::uint32_t) { echo_datagrams(udp_fd); });
  }

 private:
  void accept(int listener) {
    for (int i = 0; i < kPerTurn; ++i) {
      sys::FileDescriptor fd(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd) return;
      const int number = fd.get();
      if (!loop_.add(number, EPOLLIN, [this, number](std::uint32_t) { echo_stream(number); }))
        return;
      connections_[number] = std::move(fd);
    }
  }

  // A client that does not read what it gets is dropped: nothing is queued for it.
  void echo_stream(int fd) {
    std::array<char, 4096> buffer;
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0 && send(fd, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got)
      return;
    loop_.remove(fd);
    connections_.erase(fd);
  }

  static void echo_datagrams(int fd) {
    std::array<char, 2048> buffer;
    for (int i = 0; i < kPerTurn; ++i) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      auto* address = reinterpret_cast<sockaddr*>(&from);
      const ssize_t got = recvfrom(fd, buffer.data(), buffer.size(), 0, address, &size);
      if (got < 0) return;
      (void)sendto(fd, buffer.data(), static_cast<std::size_t>(got), 0, address, size);
    }
  }

  sys::EventLoop& loop_;
  std::vector<sys::FileDescriptor> held_;
  std::map<int, sys::FileDescriptor> connections_;
};

Status serve(std::uint16_t port) {
  raise_file_limit();
  measure_in_real_time("serve");
  auto loop = sys::EventLoop::create();
  if (!loop) return fail(loop.error());
  EchoServer server(**loop);
  for (const char* any : {"0.0.0.0", "::"}) {
    const auto endpoint = parse_endpoint(any, port);
    if (Status listening = server.listen(*endpoint); !listening) return listening;
  }
  Status signals = (*loop)->on_signals({SIGTERM, SIGINT}, [&](int) { (*loop)->stop(); });
  if (!signals) return signals;
  std::printf("{\"event\":\"serving\",\"port\":%u}\n", unsigned{port});
  std::fflush(stdout);
  (*loop)->run();
  return Ok{};
}

}  // namespace

void add_serve(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "serve", "The far end: sends back every TCP byte and UDP datagram, over IPv4 and IPv6");
  static std::uint16_t port = 7777;
  command->add_option("--port", port, "TCP and UDP port")->capture_default_str();
  command->footer("Example: hotpair-bench serve --port 7777      (ends with Ctrl-C)");
  command->callback([&exit_status] {
    const Status served = serve(port);
    if (!served) std::fprintf(stderr, "hotpair-bench serve: %s\n", served.error().message.c_str());
    exit_status = served ? 0 : 1;
  });
}

}  // namespace hotpair::bench
