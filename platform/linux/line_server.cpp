#include "platform/linux/line_server.hpp"

#include <cerrno>
#include <map>

#include <sys/socket.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/unix_socket.hpp"

namespace hotpair::sys {
namespace {

constexpr std::size_t kReadATurn = 16 * 1024;

struct Connection {
  UnixSocket socket;
  std::string in, out;
  std::size_t sent = 0;  // of `out`
  std::uint32_t watched = 0;
  bool busy = false;     // a request was handed out and is not answered yet
  bool serving = false;  // serve() is on the stack
  bool ended = false;    // the client will send no more
  bool closing = false;  // to be closed once `out` has left
  bool dead = false;
  TimerId idle = 0;
  Instant active;  // when anything last happened on it

  bool idle_at_rest() const { return !busy && out.empty(); }
};

}  // namespace

struct LineServer::State {
  EventLoop& loop;
  LineServerOptions options;
  Handler handler;
  UnixListener listener;
  std::map<ConnectionId, Connection> connections;
  ConnectionId last_id = 0;
  bool accepting = false;

  State(EventLoop& l, LineServerOptions o, Handler h, UnixListener u)
      : loop(l), options(std::move(o)), handler(std::move(h)), listener(std::move(u)) {}

  Status watch_listener();
  void accept_waiting();
  std::optional<ConnectionId> longest_at_rest() const;
  void on_event(ConnectionId id, std::uint32_t events);
  void read_some(Connection& connection);
  void serve(ConnectionId id);
  bool queue(ConnectionId id, std::string_view line, bool close_after);
  void flush(Connection& connection);
  void settle(ConnectionId id);
  void close(ConnectionId id);
  void restart_idle(ConnectionId id, Connection& connection);
};

Status LineServer::State::watch_listener() {
  accepting = true;
  return loop.add(listener.fd(), EPOLLIN, [this](std::uint32_t) { accept_waiting(); });
}

void LineServer::State::accept_waiting() {
  for (;;) {
    const bool full = connections.size() >= options.max_connections;
    const auto goes = full ? longest_at_rest() : std::nullopt;
    if (full && !goes) break;
    std::optional<UnixSocket> socket = listener.accept();
    if (!socket) return;
    if (goes) close(*goes);
    const ConnectionId id = ++last_id;
    const int fd = socket->fd();
    auto callback = [this, id](std::uint32_t events) { on_event(id, events); };
    if (!loop.add(fd, EPOLLIN, callback)) continue;
    Connection& connection = connections[id];
    connection.socket = std::move(*socket);
    connection.watched = EPOLLIN;
    restart_idle(id, connection);
    on_event(id, EPOLLIN);  // what it has asked already is not put behind those that come next
  }
  loop.remove(listener.fd());
  accepting = false;
}

// Who holds connections and asks nothing must not lock others out: the one at rest for longest
// goes.
std::optional<ConnectionId> LineServer::State::longest_at_rest() const {
  auto oldest = connections.end();
  for (auto it = connections.begin(); it != connections.end(); ++it)
    if (it->second.idle_at_rest() && !it->second.serving &&
        (oldest == connections.end() || it->second.active < oldest->second.active))
      oldest = it;
  if (oldest == connections.end()) return std::nullopt;
  return oldest->first;
}

void LineServer::State::on_event(ConnectionId id, std::uint32_t events) {
  auto found = connections.find(id);
  if (found == connections.end()) return;
  Connection& connection = found->second;
  if (events & EPOLLIN) read_some(connection);
  if (events & EPOLLOUT) flush(connection);
  // Hung up with nothing left to read: nobody takes an answer any more.
  if ((events & (EPOLLHUP | EPOLLERR)) && !(events & EPOLLIN)) connection.dead = true;
  restart_idle(id, connection);
  serve(id);
}

void LineServer::State::read_some(Connection& connection) {
  char chunk[kReadATurn];
  const ssize_t got = recv(connection.socket.fd(), chunk, sizeof(chunk), MSG_DONTWAIT);
  if (got > 0) {
    connection.in.append(chunk, static_cast<std::size_t>(got));
  } else if (got == 0) {
    connection.ended = true;
  } else if (errno != EAGAIN && errno != EINTR) {
    connection.dead = true;
  }
}

// Hands out the requests that are complete, one at a time.
void LineServer::State::serve(ConnectionId id) {
  for (;;) {
    auto found = connections.find(id);
    if (found == connections.end() || found->second.serving) return;
    Connection& connection = found->second;
    if (connection.dead || connection.closing || !connection.idle_at_rest()) break;
    const std::size_t end = connection.in.find('\n');
    if (end == std::string::npos || end > options.max_line) {
      if (connection.in.size() > options.max_line) queue(id, options.too_long_answer, true);
      break;
    }
    std::string line = connection.in.substr(0, end);
    connection.in.erase(0, end + 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    connection.busy = connection.serving = true;
    handler(id, line);
    connection.serving = false;  // only settle() closes, and not while serving
  }
  settle(id);
}

bool LineServer::State::queue(ConnectionId id, std::string_view line, bool close_after) {
  auto found = connections.find(id);
  if (found == connections.end() || found->second.dead) return false;
  Connection& connection = found->second;
  if (!line.empty()) connection.out.append(line).push_back('\n');
  connection.busy = false;
  connection.closing = connection.closing || close_after;
  if (connection.out.size() > options.max_answer) connection.dead = true;
  flush(connection);
  return !connection.dead;
}

void LineServer::State::flush(Connection& connection) {
  while (!connection.dead && connection.sent < connection.out.size()) {
    const ssize_t sent = send(connection.socket.fd(), connection.out.data() + connection.sent,
                              connection.out.size() - connection.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      connection.dead = errno != EAGAIN;
      return;
    }
    connection.sent += static_cast<std::size_t>(sent);
  }
  connection.out.clear();
  connection.sent = 0;
}

// Closes what is over and watches for what is wanted next.
void LineServer::State::settle(ConnectionId id) {
  auto found = connections.find(id);
  if (found == connections.end() || found->second.serving) return;
  Connection& connection = found->second;
  const bool over = connection.idle_at_rest() && (connection.closing || connection.ended);
  if (connection.dead || over) return close(id);
  std::uint32_t wanted = 0;
  if (!connection.out.empty())
    wanted = EPOLLOUT;
  else if (!connection.busy && !connection.ended)
    wanted = EPOLLIN;
  if (wanted == connection.watched) return;
  connection.watched = wanted;
  if (!loop.modify(connection.socket.fd(), wanted)) close(id);
}

void LineServer::State::close(ConnectionId id) {
  auto found = connections.find(id);
  loop.cancel(found->second.idle);
  loop.remove(found->second.socket.fd());
  connections.erase(found);
  if (!accepting) (void)watch_listener().ok();
}

void LineServer::State::restart_idle(ConnectionId id, Connection& connection) {
  connection.active = now();
  loop.cancel(connection.idle);
  connection.idle = loop.call_at(now() + options.idle_timeout, [this, id] {
    auto found = connections.find(id);
    if (found == connections.end()) return;
    // While it waits for our answer the delay is ours.
    if (found->second.busy) return restart_idle(id, found->second);
    close(id);
  });
}

LineServer::LineServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

LineServer::~LineServer() {
  for (auto& [id, connection] : state_->connections) {
    state_->loop.cancel(connection.idle);
    state_->loop.remove(connection.socket.fd());
  }
  if (state_->accepting) state_->loop.remove(state_->listener.fd());
}

Result<std::unique_ptr<LineServer>> LineServer::listen(EventLoop& loop, LineServerOptions options,
                                                       Handler handler) {
  auto listener = UnixListener::listen(options.path, UnixKind::stream);
  if (!listener) return fail(listener.error());
  std::unique_ptr<LineServer> server(new LineServer(
      std::make_unique<State>(loop, std::move(options), std::move(handler), std::move(*listener))));
  if (Status watched = server->state_->watch_listener(); !watched) return fail(watched.error());
  return server;
}

bool LineServer::answer(ConnectionId connection, std::string_view line) {
  const bool queued = state_->queue(connection, line, false);
  state_->serve(connection);
  return queued;
}

bool LineServer::answer_and_close(ConnectionId connection, std::string_view line) {
  const bool queued = state_->queue(connection, line, true);
  state_->serve(connection);
  return queued;
}

std::size_t LineServer::connections() const {
  return state_->connections.size();
}

}  // namespace hotpair::sys
