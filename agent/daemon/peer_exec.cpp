#include "agent/daemon/peer_exec.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>

#include <poll.h>
#include <unistd.h>

#include "agent/daemon/control_schema.hpp"
#include "platform/linux/interactive_process.hpp"
#include "platform/linux/message_stream.hpp"

namespace hotpair::daemon {
namespace {

using control::PeerMessage;
using sys::InteractiveProcess;
using sys::Message;
using sys::MessageStream;

constexpr Duration kFirstMessage = 10s;
// The other end may be held up by a pager for as long as a person reads.
constexpr Duration kSlowReader = 24h;
constexpr std::size_t kReadATurn = 32 * 1024;
constexpr std::size_t kMaxInput = 256 * 1024;  // that the command has not read yet
constexpr int kPipeFulls = 8;  // read after its end; a grandchild may go on for ever

std::uint8_t code(PeerMessage message) {
  return static_cast<std::uint8_t>(message);
}

// {terminal u8, rows u16, columns u16, then texts, each ended by a zero byte: TERM, argv...}
std::optional<sys::InteractiveRequest> parse_start(const Message& message, const Folders& folders) {
  ByteReader in(message.payload);
  sys::InteractiveRequest request;
  request.terminal = in.u8() != 0;
  request.rows = in.u16();
  request.columns = in.u16();
  const Bytes rest = in.take(in.remaining());
  if (in.failed() || rest.empty() || rest.back() != 0) return std::nullopt;
  std::vector<std::string> texts(1);
  for (const std::uint8_t byte : rest.first(rest.size() - 1)) {
    if (byte == 0)
      texts.emplace_back();
    else
      texts.back().push_back(static_cast<char>(byte));
  }
  request.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                         "HOME=/root",
                         "USER=root",
                         "LOGNAME=root",
                         "SHELL=/bin/sh",
                         "LANG=C.UTF-8",
                         "HOTPAIR_RUN_DIR=" + folders.run_dir,
                         "HOTPAIR_STATE_DIR=" + folders.state_dir};
  if (!texts[0].empty()) request.environment.push_back("TERM=" + texts[0]);
  request.argv.assign(texts.begin() + 1, texts.end());
  if (request.argv.empty()) request.argv = {"/bin/sh", "-l"};
  return request;
}

std::string shown(const std::vector<std::string>& argv) {
  std::string text;
  for (const auto& word : argv) text += (text.empty() ? "" : " ") + word;
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return text.substr(0, 400);
}

class Relay {
 public:
  Relay(MessageStream& stream, InteractiveProcess& process, bool terminal, int stop)
      : stream_(stream), process_(process), terminal_(terminal), stop_(stop) {}

  // Until the command has ended; none: the connection was lost or the agent ends.
  std::optional<InteractiveProcess::End> run() {
    if (!take_messages()) return std::nullopt;  // what was read together with the start
    while (!ended_) {
      std::array<pollfd, 6> waited{{{stop_, POLLIN, 0},
                                    {process_.ended_fd(), POLLIN, 0},
                                    {input_.size() < kMaxInput ? stream_.fd() : -1, POLLIN, 0},
                                    {process_.output.get(), POLLIN, 0},
                                    {process_.errors.get(), POLLIN, 0},
                                    {input_.empty() ? -1 : process_.input.get(), POLLOUT, 0}}};
      if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return std::nullopt;
      if (waited[0].revents != 0) return std::nullopt;
      if (waited[2].revents != 0 && !take_messages()) return std::nullopt;
      if (waited[5].revents != 0) feed();
      if (waited[3].revents != 0 && !pass(process_.output, PeerMessage::output))
        return std::nullopt;
      if (waited[4].revents != 0 && !pass(process_.errors, PeerMessage::errors))
        return std::nullopt;
      if (waited[1].revents != 0) ended_ = process_.wait();
    }
    for (int i = 0; i < kPipeFulls; ++i)
      if (!pass(process_.output, PeerMessage::output) ||
          !pass(process_.errors, PeerMessage::errors))
        break;
    return ended_;
  }

 private:
  // False: the connection is of no further use.
  bool take_messages() {
    Message message;
    for (;;) {
      const auto outcome = stream_.receive(message, Duration::zero());
      if (outcome == MessageStream::Outcome::timed_out) return true;
      if (outcome != MessageStream::Outcome::done) return false;
      act_on(message);
    }
  }

  void act_on(const Message& message) {
    ByteReader in(message.payload);
    switch (static_cast<PeerMessage>(message.type)) {
      case PeerMessage::input:
        if (message.payload.empty()) closing_ = true;
        input_.insert(input_.end(), message.payload.begin(), message.payload.end());
        return feed();
      case PeerMessage::signal:
        if (const int number = in.u8(); !in.failed() && number < NSIG) process_.signal(number);
        return;
      case PeerMessage::window: {
        const std::uint16_t rows = in.u16(), columns = in.u16();
        if (!in.failed()) process_.resize(rows, columns);
        return;
      }
      default:
        return;  // of a later version
    }
  }

  void feed() {
    while (!input_.empty() && process_.input) {
      const ssize_t took = ::write(process_.input.get(), input_.data(), input_.size());
      if (took < 0 && errno == EAGAIN) return;
      if (took <= 0) {  // it reads no more
        input_.clear();
        process_.input.reset();
        return;
      }
      input_.erase(input_.begin(), input_.begin() + took);
    }
    if (!closing_) return;
    // A terminal has no end; its end of file is a character.
    if (!terminal_) process_.input.reset();
    closing_ = false;
  }

  // False: the reader is gone. The end of the command's stream closes it.
  bool pass(sys::FileDescriptor& from, PeerMessage as) {
    if (!from) return true;
    std::array<std::uint8_t, kReadATurn> chunk;
    const ssize_t got = ::read(from.get(), chunk.data(), chunk.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) {
      from.reset();
      return true;
    }
    return stream_.send(code(as), Bytes(chunk).first(static_cast<std::size_t>(got)), kSlowReader) ==
           MessageStream::Outcome::done;
  }

  MessageStream& stream_;
  InteractiveProcess& process_;
  bool terminal_;
  int stop_;
  std::vector<std::uint8_t> input_;
  bool closing_ = false;
  std::optional<InteractiveProcess::End> ended_;
};

void say_ended(MessageStream& stream, InteractiveProcess::End end, const std::string& errors = "") {
  if (!errors.empty()) (void)stream.send(code(PeerMessage::errors), errors, kFirstMessage);
  const std::array<std::uint8_t, 2> outcome{static_cast<std::uint8_t>(end.signalled),
                                            static_cast<std::uint8_t>(end.code)};
  (void)stream.send(code(PeerMessage::ended), Bytes(outcome), kFirstMessage);
}

}  // namespace

void serve_peer_exec(sys::FileDescriptor socket, int stop, const Folders& folders, const Log& log) {
  MessageStream stream(std::move(socket));
  Message first;
  if (stream.receive(first, kFirstMessage) != MessageStream::Outcome::done) return;
  const auto request = parse_start(first, folders);
  if (first.type != code(PeerMessage::start) || !request) {
    (void)stream.send(code(PeerMessage::refused), "that is no command", kFirstMessage);
    return;
  }
  const std::string command = shown(request->argv);
  auto process = InteractiveProcess::start(*request);
  if (!process) {
    const auto& error = process.error();
    say_ended(stream, {false, error.exit_status}, "hotpair: the peer: " + error.message + "\n");
    log.warning("peer-exec-failed", error.message, {{"command", command}});
    return;
  }
  log.notice("peer-exec", "the peer's root runs here: " + command,
             {{"command", command}, {"terminal", request->terminal}});
  const auto end = Relay(stream, **process, request->terminal, stop).run();
  if (!end) {
    (*process)->signal(SIGHUP);
    log.notice("peer-exec-cut", "its connection was lost, it was ended: " + command);
    return;
  }
  say_ended(stream, *end);
  log.notice("peer-exec-ended", (end->signalled ? "by signal " : "with status ") +
                                    std::to_string(end->code) + ": " + command);
}

}  // namespace hotpair::daemon
