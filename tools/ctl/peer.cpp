// `hotpair peer`: a command, a shell or ssh on the other node, over the cluster network. The agent
// makes and proves the connection and hands it over; streams, signals and the exit status are
// relayed here (control_schema.hpp).
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "agent/daemon/control_schema.hpp"
#include "platform/linux/descriptor_passing.hpp"
#include "platform/linux/message_stream.hpp"
#include "platform/linux/unix_socket.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {
namespace {

using control::PeerMessage;
using sys::MessageStream;

constexpr Duration kNoLimit = 24h;
constexpr int kAnswerMs = 10'000;
constexpr int kBySignal = 128;  // as shells say it

int signal_pipe[2] = {-1, -1};

void note_signal(int number) {
  const auto byte = static_cast<unsigned char>(number);
  (void)!::write(signal_pipe[1], &byte, 1);
}

std::uint8_t code(PeerMessage message) {
  return static_cast<std::uint8_t>(message);
}

// The keyboard's bytes as they come, and back to what it was.
class RawTerminal {
 public:
  explicit RawTerminal(bool wanted) {
    active_ = wanted && ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!active_) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  ~RawTerminal() {
    if (active_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

std::array<std::uint8_t, 4> window() {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) {
    size.ws_row = 24;
    size.ws_col = 80;
  }
  std::array<std::uint8_t, 4> bytes;
  store_be<std::uint16_t>(bytes.data(), size.ws_row);
  store_be<std::uint16_t>(bytes.data() + 2, size.ws_col);
  return bytes;
}

std::vector<std::uint8_t> start_message(bool terminal, const std::vector<std::string>& words) {
  std::vector<std::uint8_t> bytes{static_cast<std::uint8_t>(terminal)};
  const auto size = window();
  bytes.insert(bytes.end(), size.begin(), size.end());
  const auto add = [&](const std::string& text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    bytes.push_back(0);
  };
  const char* kind = std::getenv("TERM");
  add(terminal && kind != nullptr ? kind : "");
  for (const auto& word : words) add(word);
  return bytes;
}

// The connection, proven at both ends; or why there is none, said.
sys::FileDescriptor connect_to_peer(const Context& context, Exit& exit) {
  const std::string path = context.run_dir + "/" + control::kPeerSocket;
  auto socket = sys::UnixSocket::connect(path, sys::UnixKind::seqpacket);
  if (!socket) {
    Context::say_unreachable(Daemon::agent, socket.error().message);
    exit = Exit::unreachable;
    return {};
  }
  (void)sys::send_with_descriptor(socket->fd(),
                                  std::string(1, static_cast<char>(control::kPeerServiceExec)), -1);
  pollfd waited{socket->fd(), POLLIN, 0};
  auto answer =
      ::poll(&waited, 1, kAnswerMs) > 0 ? sys::receive_with_descriptor(socket->fd()) : std::nullopt;
  if (answer && answer->descriptor) return std::move(answer->descriptor);
  std::fprintf(stderr, "hotpair: %s\n",
               answer ? answer->text.c_str() : "hotpaird gave no answer; see its log");
  exit = Exit::refused;
  return {};
}

bool write_out(int fd, const std::vector<std::uint8_t>& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno != EINTR) return false;
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
  return true;
}

class Session {
 public:
  explicit Session(sys::FileDescriptor socket) : stream_(std::move(socket)) {}

  // The exit status of the command, or 128 and the signal that ended it, as a shell says it.
  int run(bool terminal, const std::vector<std::string>& words) {
    if (stream_.send(code(PeerMessage::start), Bytes(start_message(terminal, words)), kNoLimit) !=
        MessageStream::Outcome::done)
      return lost();
    const RawTerminal raw(terminal);
    for (;;) {
      std::array<pollfd, 3> waited{{{stream_.fd(), POLLIN, 0},
                                    {signal_pipe[0], POLLIN, 0},
                                    {input_open_ ? STDIN_FILENO : -1, POLLIN, 0}}};
      if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return lost();
      if (waited[1].revents != 0) forward_signal();
      if (waited[2].revents != 0) forward_input();
      if (waited[0].revents == 0) continue;
      if (const auto status = take_messages()) return *status;
    }
  }

 private:
  static int lost() {
    std::fprintf(stderr, "hotpair: the connection to the peer was lost\n");
    return static_cast<int>(Exit::unreachable);
  }

  void forward_signal() {
    unsigned char number = 0;
    if (::read(signal_pipe[0], &number, 1) != 1) return;
    if (number == SIGWINCH)
      (void)stream_.send(code(PeerMessage::window), Bytes(window()), kNoLimit);
    else
      (void)stream_.send(code(PeerMessage::signal), Bytes(&number, 1), kNoLimit);
  }

  void forward_input() {
    std::array<std::uint8_t, 16 * 1024> chunk;
    const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) input_open_ = false;
    (void)stream_.send(code(PeerMessage::input),
                       Bytes(chunk).first(got > 0 ? static_cast<std::size_t>(got) : 0), kNoLimit);
  }

  std::optional<int> take_messages() {
    sys::Message message;
    for (;;) {
      const auto outcome = stream_.receive(message, Duration::zero());
      if (outcome == MessageStream::Outcome::timed_out) return std::nullopt;
      if (outcome != MessageStream::Outcome::done) return lost();
      switch (static_cast<PeerMessage>(message.type)) {
        case PeerMessage::output:
        case PeerMessage::errors: {
          const bool errors = static_cast<PeerMessage>(message.type) == PeerMessage::errors;
          if (!write_out(errors ? STDERR_FILENO : STDOUT_FILENO, message.payload))
            return kBySignal + SIGPIPE;
          break;
        }
        case PeerMessage::ended:
          if (message.payload.size() < 2) return lost();
          return message.payload[0] != 0 ? kBySignal + message.payload[1] : message.payload[1];
        case PeerMessage::refused:
          std::fprintf(stderr, "hotpair: the peer: %s\n", std::string(message.text()).c_str());
          return static_cast<int>(Exit::refused);
        default:
          break;  // of a later version
      }
    }
  }

  MessageStream stream_;
  bool input_open_ = true;
};

Exit run_at_peer(const Context& context, bool terminal, const std::vector<std::string>& words) {
  Exit exit = Exit::good;
  sys::FileDescriptor socket = connect_to_peer(context, exit);
  if (!socket) return exit;
  if (::pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return Exit::refused;
  struct sigaction action {};
  action.sa_handler = note_signal;
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH})
    ::sigaction(number, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return static_cast<Exit>(Session(std::move(socket)).run(terminal, words));
}

Exit run_ssh(const Context& context, const std::vector<std::string>& words) {
  const auto status = context.ask(Daemon::agent, {{"command", control::command::kStatus}});
  if (!status) return Exit::unreachable;
  const std::string address = text(child(child(*status, "cluster_network"), "peer"), "ipv4");
  if (address.empty()) {
    std::fprintf(stderr, "hotpair: the cluster network is off; see 'hotpair status'\n");
    return Exit::refused;
  }
  std::vector<std::string> arguments{"ssh"};
  arguments.push_back(address);
  arguments.insert(arguments.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execvp("ssh", pointers.data());
  std::fprintf(stderr, "hotpair: cannot start ssh: install openssh-client\n");
  return Exit::refused;
}

}  // namespace

void add_peer_options(CLI::App& app) {
  app.fallthrough(false);
  app.prefix_command();  // the words of the command are the peer's
}

Exit run_peer(Context& context) {
  std::vector<std::string> words = context.app->get_subcommand("peer")->remaining();
  const std::string action = words.empty() ? "" : words.front();
  if (!words.empty()) words.erase(words.begin());
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  if (action == "exec" && !words.empty()) return run_at_peer(context, false, words);
  if (action == "shell" && words.empty())
    return run_at_peer(context, ::isatty(STDIN_FILENO) != 0, {});
  if (action == "ssh") return run_ssh(context, words);
  std::fprintf(stderr,
               "hotpair: one of: hotpair peer exec COMMAND [ARGUMENT...], hotpair peer shell, "
               "hotpair peer ssh [ARGUMENT...]\n");
  return Exit::usage;
}

}  // namespace hotpair::ctl
