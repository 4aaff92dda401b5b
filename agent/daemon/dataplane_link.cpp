#include "agent/daemon/dataplane_link.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"
#include "platform/linux/crypto.hpp"

namespace hotpair::daemon {
namespace {

namespace control = dataplane::control;

constexpr int kMessagesATurn = 64;

bool is_zero(const DataplaneNonce& nonce) {
  return nonce == DataplaneNonce{};
}

std::string purpose(std::string_view what, const DataplaneNonce& nonce) {
  std::string text(what);
  text.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  return text;
}

// Names the key in the clear header, the same number on both nodes; tells nothing of the key.
std::uint32_t key_id(agent::Association& association, agent::ChassisId sender,
                     const DataplaneNonce& nonce) {
  const auto bytes = association.derive(purpose("hotpair session-sync key id ", nonce), sender);
  return load_be<std::uint32_t>(bytes.data()) | 1;  // zero is the id of no key
}

}  // namespace

std::optional<control::SetKeys> session_sync_keys(agent::Association& association,
                                                  agent::ChassisId self, const DataplaneNonce& ours,
                                                  const DataplaneNonce& peers) {
  if (!association.established() || is_zero(ours) || is_zero(peers)) return std::nullopt;
  const auto peer = agent::other(self);
  control::SetKeys keys;
  keys.tx_key = association.derive(purpose("hotpair session-sync ", ours), self);
  keys.rx_key = association.derive(purpose("hotpair session-sync ", peers), peer);
  keys.tx_key_id = key_id(association, self, ours);
  keys.rx_key_id = key_id(association, peer, peers);
  return keys;
}

Result<std::unique_ptr<DataplaneLink>> DataplaneLink::listen(const std::string& path, Needs needs) {
  auto listener = sys::UnixListener::listen(path, sys::UnixKind::seqpacket);
  if (!listener) return Failure<Error>{listener.error()};
  auto link = std::unique_ptr<DataplaneLink>(
      new DataplaneLink(std::move(listener).value(), std::move(needs)));
  if (auto added = link->needs_.loop.add(link->listener_.fd(), EPOLLIN,
                                         [raw = link.get()](auto) { raw->on_connect(); });
      !added)
    return Failure<Error>{added.error()};
  return link;
}

DataplaneLink::DataplaneLink(sys::UnixListener listener, Needs needs)
    : needs_(std::move(needs)), listener_(std::move(listener)) {}

DataplaneLink::~DataplaneLink() {
  needs_.loop.cancel(silence_timer_);
  if (socket_) needs_.loop.remove(socket_->fd());
  needs_.loop.remove(listener_.fd());
}

void DataplaneLink::on_connect() {
  auto accepted = listener_.accept();
  if (!accepted) return;
  if (socket_) {
    needs_.log.warning("dataplane-refused", "a second data plane connected and was refused",
                       {{"pid", accepted->peer_pid().value_or(0)}});
    return;  // closes it
  }
  socket_ = std::make_shared<sys::UnixSocket>(std::move(*accepted));
  last_heard_ = sys::now();
  (void)needs_.loop.add(socket_->fd(), EPOLLIN, [this](auto) { on_readable(); });
  watch_silence();
}

void DataplaneLink::watch_silence() {
  needs_.loop.cancel(silence_timer_);
  silence_timer_ = needs_.loop.call_at(sys::now() + kDataplaneSilence / 2, [this] {
    silence_timer_ = 0;
    if (!socket_) return;
    if (sys::now() - last_heard_ > kDataplaneSilence) return lose("it said nothing for a second");
    watch_silence();
  });
}

void DataplaneLink::on_readable() {
  for (int i = 0; i < kMessagesATurn && socket_; ++i) {
    switch (socket_->receive(buffer_, control::kMaxMessage)) {
      case sys::UnixSocket::Outcome::would_block:
        return;
      case sys::UnixSocket::Outcome::closed:
        return lose("it closed its socket");
      case sys::UnixSocket::Outcome::too_long:
        return lose("it sent an over-long message");
      case sys::UnixSocket::Outcome::done:
        break;
    }
    last_heard_ = sys::now();
    const auto message = control::decode_to_agent(buffer_);
    if (!message) return lose(message.error().message);
    on_message(*message);
  }
}

void DataplaneLink::on_message(const control::ToAgent& message) {
  if (const auto* hello = std::get_if<control::Hello>(&message)) return on_hello(*hello);
  if (!ready_) return lose("its first message was no greeting");
  if (const auto* done = std::get_if<control::Done>(&message)) return on_done(*done);
  if (const auto* state = std::get_if<control::State>(&message)) return on_state(*state);
  if (const auto* relayed = std::get_if<control::RelayReceived>(&message)) on_relay(*relayed);
}

void DataplaneLink::on_hello(const control::Hello& hello) {
  if (hello.version != control::kControlVersion)
    return lose("it speaks version " + std::to_string(hello.version) + " and this agent version " +
                std::to_string(control::kControlVersion) +
                "; install hotpaird and hotpair-dataplane of one build");
  nonce_ = hello.nonce;
  ready_ = true;
  keys_generation_.reset();
  if (!send(control::Welcome{control::kControlVersion, static_cast<std::uint8_t>(needs_.self),
                             needs_.group}))
    return;
  send_keys();
  if (role_) {
    auto again = *role_;
    again.id = 0;  // the core does not wait for this answer
    if (!send(again)) return;
  }
  needs_.relay_socket(socket_);
  needs_.nonce_changed();
  needs_.log.notice("dataplane-connected", "the data plane is connected",
                    {{"pid", socket_->peer_pid().value_or(0)}});
}

void DataplaneLink::on_done(const control::Done& done) {
  const auto asked = pending_.find(done.id);
  if (asked == pending_.end()) return;
  const Duration took = sys::now() - asked->second;
  pending_.erase(asked);
  needs_.emit(agent::ActionDone{done.id, done.ok, took, done.error});
}

void DataplaneLink::on_state(const control::State& state) {
  port_up_ = state.port_up;
  agent::ReplicationState replication;
  replication.dataplane_alive = true;
  replication.in_sync = state.in_sync;
  replication.sessions = state.sessions;
  replication.lag_sessions = state.lag_sessions;
  replication.lag_us = state.lag_us;
  needs_.emit(agent::DataplaneState{replication});
}

void DataplaneLink::on_relay(const control::RelayReceived& relayed) {
  // Its clock is the machine's, but its word is not trusted to lie in the future.
  const Instant said{
      Duration(static_cast<std::int64_t>(std::min<std::uint64_t>(relayed.heard_at_ns, INT64_MAX)))};
  needs_.relay_received(std::min(said, sys::now()), relayed.frame);
}

void DataplaneLink::lose(const std::string& why) {
  if (!socket_) return;
  needs_.loop.cancel(silence_timer_);
  silence_timer_ = 0;
  needs_.loop.remove(socket_->fd());
  needs_.relay_socket(nullptr);
  socket_.reset();
  const bool was_ready = std::exchange(ready_, false);
  port_up_ = false;
  nonce_ = {};
  needs_.log.warning("dataplane-lost", "lost the data plane: " + why);
  const auto failed = std::exchange(pending_, {});
  for (const auto& [id, asked] : failed)
    needs_.emit(agent::ActionDone{id, false, sys::now() - asked, "the data plane is gone"});
  if (!was_ready) return;
  needs_.emit(agent::DataplaneState{});
  needs_.nonce_changed();
}

bool DataplaneLink::send(const control::ToDataplane& message) {
  if (!socket_) return false;
  const auto outcome = socket_->send(control::encode(message));
  if (outcome == sys::UnixSocket::Outcome::done) return true;
  lose(outcome == sys::UnixSocket::Outcome::would_block ? "it does not read its socket"
                                                        : "its socket is closed");
  return false;
}

void DataplaneLink::ask(std::uint32_t id, const control::ToDataplane& message) {
  if (!ready_) {
    needs_.emit(agent::ActionDone{id, false, Duration::zero(), "no data plane is connected"});
    return;
  }
  pending_[id] = sys::now();
  send(message);  // when it fails, lose() answers
}

void DataplaneLink::set_role(const agent::SetDataplaneRole& action) {
  role_ = control::SetRole{action.id, static_cast<control::Role>(action.role), action.epoch.number};
  ask(action.id, *role_);
}

void DataplaneLink::drain(const agent::DrainDataplane& action) {
  ask(action.id, control::Drain{action.id});
}

void DataplaneLink::update_keys(const DataplaneNonce& peer_nonce) {
  const auto generation =
      needs_.association.with([](auto& association) { return association.generation(); });
  peer_nonce_ = peer_nonce;
  if (!ready_ || (keys_generation_ == generation && keys_for_peer_ == peer_nonce)) return;
  send_keys();
}

void DataplaneLink::send_keys() {
  auto keys = needs_.association.with([&](agent::Association& association) {
    keys_generation_ = association.generation();
    return session_sync_keys(association, needs_.self, nonce_, peer_nonce_);
  });
  keys_for_peer_ = peer_nonce_;
  send(keys.value_or(control::SetKeys{}));
  if (keys) {
    sys::wipe(keys->tx_key);
    sys::wipe(keys->rx_key);
  }
}

}  // namespace hotpair::daemon
