#include "dataplane/dpdk/agent_link.hpp"

#include <utility>
#include <variant>

#include "platform/linux/clock.hpp"

namespace hotpair::dpdk {

namespace {

namespace control = dataplane::control;

// The agent must not wait long for its data plane after a restart of its own.
constexpr Duration kRetry = 50ms;
constexpr int kMessagesARead = 64;

}  // namespace

AgentLink::AgentLink(sys::EventLoop& loop, AgentLinkOptions options, Counters& counters, Log log,
                     Handler handler)
    : loop_(loop),
      options_(std::move(options)),
      counters_(counters),
      log_(std::move(log)),
      handler_(std::move(handler)) {
  connect();
}

AgentLink::~AgentLink() {
  loop_.cancel(retry_);
  if (socket_) loop_.remove(socket_.fd());
}

void AgentLink::connect() {
  auto socket = sys::UnixSocket::connect(options_.path, sys::UnixKind::seqpacket);
  if (!socket.ok()) {
    if (!std::exchange(complained_, true))
      log_.info("agent-absent", "waiting for hotpaird at " + options_.path +
                                    "; the role stays as it is until it is there");
    return retry_later();
  }
  socket_ = std::move(socket).value();
  if (Status added = loop_.add(socket_.fd(), EPOLLIN, [this](std::uint32_t) { read(); });
      !added.ok()) {
    socket_ = {};
    return retry_later();
  }
  ++counters_.agent_connects;
  control::Hello hello;
  hello.nonce = options_.nonce;
  const control::ToAgent message = hello;
  if (socket_.send(control::encode(message)) != sys::UnixSocket::Outcome::done)
    lose("it does not take our greeting");
}

void AgentLink::retry_later() {
  retry_ = loop_.call_at(sys::now() + kRetry, [this] { connect(); });
}

void AgentLink::lose(const std::string& why) {
  if (!socket_) return;
  if (welcomed_ || !complained_)
    log_.notice("agent-lost", "the connection to hotpaird is gone: " + why + "; the role stays");
  complained_ = true;
  welcomed_ = false;
  loop_.remove(socket_.fd());
  socket_ = {};
  retry_later();
}

void AgentLink::read() {
  for (int i = 0; i < kMessagesARead && socket_; ++i) {
    switch (socket_.receive(buffer_, control::kMaxMessage)) {
      case sys::UnixSocket::Outcome::done:
        handle(buffer_);
        break;
      case sys::UnixSocket::Outcome::too_long:
        ++counters_.agent_malformed;
        break;
      case sys::UnixSocket::Outcome::would_block:
        return;
      case sys::UnixSocket::Outcome::closed:
        return lose("it closed it");
    }
  }
}

void AgentLink::handle(Bytes bytes) {
  const auto message = control::decode_to_dataplane(bytes);
  if (!message.ok()) {
    ++counters_.agent_malformed;
    log_.warning("agent-message",
                 "a message of hotpaird is not understood: " + message.error().message);
    return;
  }
  if (const auto* hello = std::get_if<control::Welcome>(&*message)) return welcome(*hello);
  if (welcomed_) handler_(*message);
}

void AgentLink::welcome(const control::Welcome& message) {
  if (message.version != control::kControlVersion)
    return lose("hotpaird speaks version " + std::to_string(message.version) +
                " of the control protocol, this program " +
                std::to_string(control::kControlVersion) +
                "; install both from one package and restart them");
  if (message.chassis_id != options_.chassis || message.group_id != options_.group)
    return lose("hotpaird was started with another configuration (chassis_id " +
                std::to_string(message.chassis_id) + ", group_id " +
                std::to_string(message.group_id) + "); restart both programs");
  welcomed_ = true;
  complained_ = false;
  log_.info("agent-connected", "connected to hotpaird");
}

bool AgentLink::send(const control::ToAgent& message) {
  if (!welcomed_) return false;
  switch (socket_.send(control::encode(message))) {
    case sys::UnixSocket::Outcome::done:
      return true;
    case sys::UnixSocket::Outcome::closed:
      lose("it closed it");
      return false;
    default:
      ++counters_.agent_busy;
      return false;
  }
}

}  // namespace hotpair::dpdk
