// What a client says on the agent's control socket, through the real server and its commands: an
// answer for each line or a closed connection, never a crash.
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/daemon/commands.hpp"
#include "platform/base/assert.hpp"

namespace {

using namespace hotpair;

struct Server {
  std::unique_ptr<sys::EventLoop> loop;
  std::unique_ptr<daemon::Commands> commands;
  sockaddr_un address{};

  Server() {
    const std::string path = "/tmp/hotpair-fuzz-" + std::to_string(getpid()) + ".sock";
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    loop = std::move(*sys::EventLoop::create());
    const auto object = [] { return nlohmann::json{{"ok", true}}; };
    daemon::CommandTarget target;
    target.status = target.why = target.password_status = object;
    target.history = [](std::size_t limit) { return nlohmann::json{{"ok", limit > 0}}; };
    target.order = [](auto, auto answered) { answered(agent::OperatorAnswer{true, "done"}); };
    target.reload = [object](auto answered) { answered(object()); };
    target.what_if = [](const auto& request) { return nlohmann::json{{"ok", request.empty()}}; };
    target.plan_failover = [](bool forced) { return nlohmann::json{{"ok", forced}}; };
    target.password_switch = [object](bool, auto answered) { answered(object()); };
    auto listening = daemon::Commands::listen(*loop, path, std::move(target), Log());
    HOTPAIR_ASSERT(listening.ok());
    commands = std::move(*listening);
  }
  ~Server() { unlink(address.sun_path); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Server server;
  const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  HOTPAIR_ASSERT(connect(client, reinterpret_cast<const sockaddr*>(&server.address),
                         sizeof server.address) == 0);
  (void)send(client, data, std::min<std::size_t>(size, 60'000), MSG_NOSIGNAL);
  (void)shutdown(client, SHUT_WR);
  std::array<char, 4096> answer{};
  for (int turns = 0; turns < 1000; ++turns) {
    (void)server.loop->run_once(Duration{});
    if (recv(client, answer.data(), answer.size(), 0) == 0) break;  // closed
  }
  close(client);
  (void)server.loop->run_once(Duration{});
  return 0;
}
