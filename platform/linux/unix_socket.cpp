#include "platform/linux/unix_socket.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr int kBacklog = 64;
constexpr mode_t kSocketMode = 0660;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path))
    return fail_with("the socket path '" + path + "' is not of 1 to " +
                     std::to_string(sizeof(address.sun_path) - 1) +
                     " bytes; choose a shorter run directory with --run-dir");
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

Result<FileDescriptor> open_socket(UnixKind kind) {
  const int type = kind == UnixKind::stream ? SOCK_STREAM : SOCK_SEQPACKET;
  FileDescriptor fd(socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("cannot open a Unix socket", errno);
  return fd;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Removes a socket file that nobody listens on. Called with the directory locked.
Status clear_stale(const std::string& path, const sockaddr_un& address, UnixKind kind) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) return Ok{};
  if (!S_ISSOCK(facts.st_mode))
    return fail_with(path + " exists and is not a socket; look at it with 'ls -l " + path +
                     "' and remove it");
  auto probe = open_socket(kind);
  if (!probe) return fail(probe.error());
  // EPROTOTYPE: it is a listening socket of the other kind. EAGAIN: its queue is full.
  if (connect(probe->get(), generic(address), sizeof(address)) == 0 || errno != ECONNREFUSED)
    return fail_with("another process listens on " + path + "; see who with 'ss -xlp src " + path +
                     "'");
  if (unlink(path.c_str()) != 0) return fail_errno("cannot remove the stale socket " + path, errno);
  return Ok{};
}

UnixSocket::Outcome outcome_of(int error) {
  if (error == EAGAIN || error == EINTR || error == ENOBUFS)
    return UnixSocket::Outcome::would_block;
  return error == EMSGSIZE ? UnixSocket::Outcome::too_long : UnixSocket::Outcome::closed;
}

}  // namespace

Result<UnixSocket> UnixSocket::connect(const std::string& path, UnixKind kind) {
  const auto address = address_of(path);
  if (!address) return fail(address.error());
  auto fd = open_socket(kind);
  if (!fd) return fail(fd.error());
  if (::connect(fd->get(), generic(*address), sizeof(*address)) == 0)
    return UnixSocket(std::move(*fd));
  if (errno == ENOENT || errno == ECONNREFUSED) return fail_with("nobody listens on " + path);
  return fail_errno("cannot connect to " + path, errno);
}

UnixSocket::Outcome UnixSocket::send(Bytes message) {
  const ssize_t sent =
      ::send(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? outcome_of(errno) : Outcome::done;
}

UnixSocket::Outcome UnixSocket::receive(std::vector<std::uint8_t>& message, std::size_t max) {
  message.resize(max);
  const ssize_t got = recv(fd_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (got <= 0) {
    message.clear();
    return got == 0 ? Outcome::closed : outcome_of(errno);
  }
  if (static_cast<std::size_t>(got) > max) {
    message.clear();
    return Outcome::too_long;
  }
  message.resize(static_cast<std::size_t>(got));
  return Outcome::done;
}

std::optional<pid_t> UnixSocket::peer_pid() const {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return credentials.pid;
}

Result<UnixListener> UnixListener::listen(const std::string& path, UnixKind kind) {
  const auto address = address_of(path);
  if (!address) return fail(address.error());
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  // Held until we listen, so that of two processes which find a stale file only one replaces it.
  const FileDescriptor lock(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock && errno == ENOENT)
    return fail_with("the directory of " + path + " does not exist; make it with 'mkdir -p " +
                     directory + "'");
  if (!lock || flock(lock.get(), LOCK_EX) != 0)
    return fail_errno("cannot lock " + directory, errno);
  if (Status cleared = clear_stale(path, *address, kind); !cleared) return fail(cleared.error());
  auto fd = open_socket(kind);
  if (!fd) return fail(fd.error());
  if (bind(fd->get(), generic(*address), sizeof(*address)) != 0)
    return fail_errno("cannot create the socket " + path, errno);
  // Nobody can connect before listen(), so the mode is in force for everyone.
  if (chmod(path.c_str(), kSocketMode) != 0 || ::listen(fd->get(), kBacklog) != 0) {
    const int error = errno;
    unlink(path.c_str());
    return fail_errno("cannot listen on " + path, error);
  }
  return UnixListener(std::move(*fd), path);
}

UnixListener::~UnixListener() {
  if (fd_) unlink(path_.c_str());
}

std::optional<UnixSocket> UnixListener::accept() {
  FileDescriptor fd(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) return std::nullopt;
  return UnixSocket(std::move(fd));
}

}  // namespace hotpair::sys
