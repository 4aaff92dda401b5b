#include "platform/linux/http_server.hpp"

#include <algorithm>
#include <cerrno>
#include <map>

#include <sys/socket.h>

#include "platform/linux/clock.hpp"

namespace hotpair::sys {
namespace {

constexpr std::size_t kReadATurn = 4096;
constexpr Duration kPause = 1s;

// A client's life: it asks, it reads our answer, it is drained. The last is what keeps the kernel
// from resetting the connection, and with it our answer, over bytes nobody has read.
enum class Phase : std::uint8_t { asking, reading, draining };

struct Connection {
  FileDescriptor socket;
  Phase phase = Phase::asking;
  std::string in, out;
  std::size_t sent = 0, drained = 0;
  TimerId limit = 0;
};

}  // namespace

struct HttpServer::State {
  EventLoop& loop;
  ListenSocket listener;
  Handler handler;
  HttpLimits limits;
  std::map<std::uint64_t, Connection> connections;  // by age
  std::uint64_t last_id = 0;
  TimerId pausing = 0;

  State(EventLoop& l, ListenSocket s, Handler h, HttpLimits limits_)
      : loop(l), listener(std::move(s)), handler(std::move(h)), limits(limits_) {}

  Status watch();
  void pause();
  void accept_waiting();
  void make_room();
  void on_event(std::uint64_t id, std::uint32_t events);
  bool read_request(std::uint64_t id, Connection& connection);
  bool begin_answer(std::uint64_t id, Connection& connection, const std::string& text);
  bool write_some(Connection& connection);
  bool drain(Connection& connection);
  void limit_time(std::uint64_t id, Connection& connection, Duration limit);
  void close(std::uint64_t id);
};

void HttpServer::State::accept_waiting() {
  for (std::size_t taken = 0; taken < limits.max_connections; ++taken) {
    FileDescriptor socket = listener.accept();
    if (!socket) return (errno == EMFILE || errno == ENFILE) ? pause() : void();
    if (connections.size() >= limits.max_connections) make_room();
    const std::uint64_t id = ++last_id;
    if (!loop.add(socket.get(), EPOLLIN,
                  [this, id](std::uint32_t events) { on_event(id, events); }))
      continue;
    Connection& connection = connections[id];
    connection.socket = std::move(socket);
    limit_time(id, connection, limits.ask_within);
  }
}

// Without a free descriptor the listener would stay readable and the loop would spin.
void HttpServer::State::pause() {
  loop.remove(listener.fd());
  pausing = loop.call_at(now() + kPause, [this] { (void)watch(); });
}

Status HttpServer::State::watch() {
  pausing = 0;
  return loop.add(listener.fd(), EPOLLIN, [this](std::uint32_t) { accept_waiting(); });
}

// Who has not asked yet goes before one that is being answered.
void HttpServer::State::make_room() {
  const auto asking = std::find_if(connections.begin(), connections.end(), [](const auto& each) {
    return each.second.phase == Phase::asking;
  });
  close(asking != connections.end() ? asking->first : connections.begin()->first);
}

void HttpServer::State::limit_time(std::uint64_t id, Connection& connection, Duration limit) {
  loop.cancel(connection.limit);
  connection.limit = loop.call_at(now() + limit, [this, id] { close(id); });
}

void HttpServer::State::on_event(std::uint64_t id, std::uint32_t events) {
  const auto found = connections.find(id);
  if (found == connections.end()) return;
  Connection& connection = found->second;
  bool goes_on = (events & EPOLLERR) == 0;
  if (goes_on && connection.phase == Phase::asking) goes_on = read_request(id, connection);
  if (goes_on && connection.phase == Phase::reading) goes_on = write_some(connection);
  if (goes_on && connection.phase == Phase::draining) goes_on = drain(connection);
  if (!goes_on) close(id);
}

bool HttpServer::State::read_request(std::uint64_t id, Connection& connection) {
  char chunk[kReadATurn];
  const ssize_t got = recv(connection.socket.get(), chunk, sizeof chunk, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  connection.in.append(chunk, static_cast<std::size_t>(got));
  const auto end = end_of_head(connection.in);
  const auto refuse = [&](int status, const char* why) {
    return begin_answer(id, connection, http_text(http_error(status, why), true));
  };
  if (connection.in.size() > kMaxHttpHead && end.value_or(kMaxHttpHead + 1) > kMaxHttpHead)
    return refuse(431, "the head of the request is longer than 8192 bytes");
  if (!end) return true;
  const auto request = parse_http_request(std::string_view(connection.in).substr(0, *end));
  if (!request) return refuse(400, "that is no HTTP/1.1 request");
  if (request->method != "GET" && request->method != "HEAD")
    return refuse(405, "this service only reads: GET and HEAD");
  return begin_answer(id, connection, http_text(handler(*request), request->method == "GET"));
}

bool HttpServer::State::begin_answer(std::uint64_t id, Connection& connection,
                                     const std::string& text) {
  connection.in.clear();
  connection.out = text;
  connection.phase = Phase::reading;
  limit_time(id, connection, limits.read_within);
  return loop.modify(connection.socket.get(), EPOLLOUT).ok();
}

bool HttpServer::State::write_some(Connection& connection) {
  while (connection.sent < connection.out.size()) {
    const ssize_t sent = send(connection.socket.get(), connection.out.data() + connection.sent,
                              connection.out.size() - connection.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN;
    connection.sent += static_cast<std::size_t>(sent);
  }
  connection.phase = Phase::draining;
  return ::shutdown(connection.socket.get(), SHUT_WR) == 0 &&
         loop.modify(connection.socket.get(), EPOLLIN).ok();
}

bool HttpServer::State::drain(Connection& connection) {
  char chunk[kReadATurn];
  const ssize_t got = recv(connection.socket.get(), chunk, sizeof chunk, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  connection.drained += static_cast<std::size_t>(got);
  return got > 0 && connection.drained <= kMaxHttpHead;
}

void HttpServer::State::close(std::uint64_t id) {
  const auto found = connections.find(id);
  if (found == connections.end()) return;
  loop.cancel(found->second.limit);
  loop.remove(found->second.socket.get());
  connections.erase(found);
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  while (!state_->connections.empty()) state_->close(state_->connections.begin()->first);
  state_->loop.cancel(state_->pausing);
  state_->loop.remove(state_->listener.fd());
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(EventLoop& loop, const ListenAddress& at,
                                                       Handler handler, HttpLimits limits) {
  auto listener = ListenSocket::open(at);
  if (!listener) return fail(listener.error());
  std::unique_ptr<HttpServer> server(new HttpServer(
      std::make_unique<State>(loop, std::move(listener).value(), std::move(handler), limits)));
  if (Status watched = server->state_->watch(); !watched) return fail(watched.error());
  return server;
}

}  // namespace hotpair::sys
