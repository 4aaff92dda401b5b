#include "agent/daemon/peer_listener.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/daemon/control_schema.hpp"
#include "platform/linux/descriptor_passing.hpp"
#include "platform/linux/scheduling.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

constexpr int kRetryMs = 50, kPauseMs = 1000;
constexpr int kTriesBeforeSaying = 40;  // the device is being made by another thread
constexpr int kRequestMs = 3000;
constexpr mode_t kRootAlone = 0600;

const char* reason_without(PeerService service) {
  switch (service) {
    case PeerService::config:
      return "the peer does not synchronise its configuration";
    case PeerService::routes:
      return "the peer does not synchronise routes";
    case PeerService::ruleset:
      return "the peer's cluster.yaml wants neither nft_ruleset nor nft_sets";
    default:
      return "the peer does not serve that";
  }
}

}  // namespace

Result<std::unique_ptr<PeerListener>> PeerListener::start(std::shared_ptr<PeerLink> link,
                                                          Folders folders, Log log) {
  const std::string path = folders.run_dir + "/" + control::kPeerSocket;
  auto local = sys::UnixListener::listen(path, sys::UnixKind::seqpacket);
  if (!local) return fail(local.error());
  if (::chmod(path.c_str(), kRootAlone) != 0)
    return sys::fail_errno("cannot keep others from " + path, errno);
  sys::FileDescriptor stop(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!stop) return sys::fail_errno("cannot make an eventfd", errno);
  auto listener = std::unique_ptr<PeerListener>(
      new PeerListener(std::move(link), std::move(local).value(), std::move(stop),
                       std::move(folders), std::move(log)));
  listener->thread_ = std::thread([raw = listener.get()] { raw->serve(); });
  return listener;
}

PeerListener::PeerListener(std::shared_ptr<PeerLink> link, sys::UnixListener local,
                           sys::FileDescriptor stop, Folders folders, Log log)
    : link_(std::move(link)),
      local_(std::move(local)),
      folders_(std::move(folders)),
      stop_(std::move(stop)),
      log_(std::move(log)) {}

PeerListener::~PeerListener() {
  ::eventfd_write(stop_.get(), 1);
  if (thread_.joinable()) thread_.join();
  for (auto& session : sessions_) ::shutdown(session.socket.get(), SHUT_RDWR);
  for (auto& session : sessions_) session.thread.join();
}

void PeerListener::serve() {
  sys::set_thread_name("peer");
  for (;;) {
    if (!link_->enabled) network_.reset();  // its device goes too
    if (!network_ && link_->enabled) open_network();
    std::array<pollfd, 3> waited{
        {{stop_.get(), POLLIN, 0}, {local_.fd(), POLLIN, 0}, {network_.get(), POLLIN, 0}}};
    const bool missing = !network_ && link_->enabled && tries_ < kTriesBeforeSaying;
    (void)::poll(waited.data(), waited.size(), missing ? kRetryMs : kPauseMs);
    if (waited[0].revents != 0) return;
    reap();
    if (waited[1].revents != 0)
      if (auto socket = local_.accept())
        begin(std::move(*socket).take(), &PeerListener::serve_root);
    if (waited[2].revents != 0)
      if (auto socket = sys::tcp_accept(network_.get(), link_->peer().address))
        begin(std::move(socket), &PeerListener::serve_peer);
  }
}

void PeerListener::open_network() {
  auto socket = sys::tcp_listen(link_->local());
  if (socket) {
    network_ = std::move(socket).value();
    tries_ = 0;
  } else if (++tries_ >= kTriesBeforeSaying &&
             std::exchange(said_, socket.error().message) != socket.error().message) {
    log_.warning("peer-listen-failed", said_ + "; it is tried again every second");
  }
}

void PeerListener::begin(sys::FileDescriptor socket,
                         void (PeerListener::*service)(sys::FileDescriptor)) {
  if (sessions_.size() >= kMostSessions) return;  // closes it
  Session& session = sessions_.emplace_back();
  session.socket.reset(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  session.thread = std::thread([this, &session, service, socket = std::move(socket)]() mutable {
    (this->*service)(std::move(socket));
    session.done = true;
  });
}

void PeerListener::reap() {
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    if (!session->done) {
      ++session;
      continue;
    }
    session->thread.join();
    session = sessions_.erase(session);
  }
}

void PeerListener::serve_peer(sys::FileDescriptor socket) {
  sys::set_thread_name("peer-session");
  const auto service = recognise(socket.get(), link_->keys);
  if (!service) {
    log_.warning("peer-unproven",
                 "refused a connection from the peer's address: " + service.error().message);
    return refuse(socket.get(), "refused: " + service.error().message);
  }
  if (*service != PeerService::exec) {
    const auto serve = link_->server_of(*service);
    if (!serve) return refuse(socket.get(), reason_without(*service));
    if (welcome(socket.get())) serve(std::move(socket), stop_.get());
    return;
  }
  if (!link_->exec_allowed) {
    log_.warning("peer-exec-refused",
                 "the peer's root wanted to run a command here, which "
                 "peer_exec: false in node.yaml forbids");
    return refuse(socket.get(), "the peer allows no commands: peer_exec is false in its node.yaml");
  }
  if (welcome(socket.get())) serve_peer_exec(std::move(socket), stop_.get(), folders_, log_);
}

void PeerListener::serve_root(sys::FileDescriptor socket) {
  sys::set_thread_name("peer-dial");
  const auto answer = [&](const std::string& text, int descriptor = -1) {
    (void)sys::send_with_descriptor(socket.get(), text, descriptor);
  };
  if (sys::peer_user(socket.get()) != uid_t{0}) return answer("only root may use the peer");
  pollfd waited{socket.get(), POLLIN, 0};
  if (::poll(&waited, 1, kRequestMs) <= 0) return;
  const auto request = sys::receive_with_descriptor(socket.get());
  if (!request || request->text != std::string(1, static_cast<char>(control::kPeerServiceExec)))
    return answer("that is no request");
  auto connection = link_->dial(PeerService::exec);
  if (!connection) return answer(connection.error().message);
  answer("ok", connection->get());
}

}  // namespace hotpair::daemon
