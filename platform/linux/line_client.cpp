#include "platform/linux/line_client.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/system_error.hpp"
#include "platform/linux/unix_socket.hpp"

namespace hotpair::sys {
namespace {

// False at the deadline.
bool wait_for(int fd, short events, Instant deadline) {
  for (;;) {
    const Duration left = deadline - now();
    if (left <= Duration::zero()) return false;
    pollfd watched{fd, events, 0};
    const timespec timeout{static_cast<time_t>(left / 1s), static_cast<long>((left % 1s).count())};
    if (ppoll(&watched, 1, &timeout, nullptr) > 0) return true;
  }
}

}  // namespace

Result<LineClient> LineClient::connect(const std::string& path) {
  auto socket = UnixSocket::connect(path, UnixKind::stream);
  if (!socket) return fail(socket.error());
  return LineClient(std::move(*socket).take(), path);
}

std::optional<pid_t> LineClient::server_pid() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0)
    return std::nullopt;
  return peer.pid;
}

Result<std::string> LineClient::request(std::string_view line, Duration timeout,
                                        std::size_t max_answer) {
  const Instant deadline = now() + timeout;
  std::string request(line);
  request.push_back('\n');
  for (std::size_t at = 0; at < request.size();) {
    const ssize_t sent = send(fd_.get(), request.data() + at, request.size() - at, MSG_NOSIGNAL);
    if (sent >= 0) {
      at += static_cast<std::size_t>(sent);
    } else if (errno != EAGAIN && errno != EINTR) {
      return fail_errno("the daemon on " + path_ + " closed the connection", errno);
    } else if (!wait_for(fd_.get(), POLLOUT, deadline)) {
      return fail_with("the daemon on " + path_ +
                       " takes no requests; see 'systemctl status hotpaird'");
    }
  }
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      std::string answer = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return answer;
    }
    searched = buffer_.size();
    if (buffer_.size() > max_answer)
      return fail_with("the answer of the daemon on " + path_ +
                       " is too long; ask for less at once");
    if (!wait_for(fd_.get(), POLLIN, deadline))
      return fail_with("the daemon on " + path_ + " did not answer within " +
                       std::to_string(to_ms(timeout)) + " ms; see 'systemctl status hotpaird'");
    char chunk[16 * 1024];
    const ssize_t got = recv(fd_.get(), chunk, sizeof(chunk), 0);
    if (got > 0) buffer_.append(chunk, static_cast<std::size_t>(got));
    if (got == 0)
      return fail_with("the daemon on " + path_ +
                       " closed the connection without an answer; see 'journalctl -u hotpaird'");
    if (got < 0 && errno != EAGAIN && errno != EINTR)
      return fail_errno("cannot read from " + path_, errno);
  }
}

}  // namespace hotpair::sys
