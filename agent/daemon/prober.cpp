#include "agent/daemon/prober.hpp"

#include "platform/linux/clock.hpp"
#include "platform/linux/crypto.hpp"

namespace hotpair::daemon {
namespace {

constexpr const char* kWrongDevice = "probe answer on another interface";
constexpr const char* kNotAsked = "probe answer that was not asked for";
constexpr const char* kFromAfar = "probe answer from beyond a router";
constexpr const char* kForged = "probe answer with wrong contents";

bool needs_device(const ProbeTarget& target) {
  return target.method != ProbeMethod::echo || !target.device.empty();
}

std::uint64_t random_number() {
  std::array<std::uint8_t, 8> bytes{};
  sys::random_bytes(bytes);
  return load_be<std::uint64_t>(bytes.data());
}

}  // namespace

const char* to_string(ProbeMethod method) {
  switch (method) {
    case ProbeMethod::arp:
      return "arp";
    case ProbeMethod::neighbour:
      return "nd";
    case ProbeMethod::echo:
      return "icmp";
  }
  return "";
}

Prober::Prober(sys::EventLoop& loop, const sys::LinkMonitor& links)
    : loop_(loop),
      links_(links),
      identifier_(static_cast<std::uint16_t>(random_number())),
      cookie_(random_number()) {}

Prober::~Prober() {
  for (auto& [id, probe] : probes_) loop_.cancel(probe.timer);
  for (const Socket* socket : {&arp_, &neighbours_, &echo4_, &echo6_})
    if (*socket) loop_.remove((*socket)->fd());
}

Prober::ProbeId Prober::start(const ProbeTarget& target, Callbacks callbacks) {
  const ProbeId id = ++last_id_;
  // Numbers of two probes of one address differ, so that an answer is one probe's only.
  const auto first = static_cast<std::uint16_t>(id * 4099);
  auto& probe =
      probes_
          .emplace(
              id,
              Probe{target, std::move(callbacks), ProbeRecord(target.lost, first), 0, {}, {}, 0})
          .first->second;
  probe.timer = loop_.call_at(sys::now(), [this, id] { turn(id); });
  return id;
}

void Prober::stop(ProbeId id) {
  const auto found = probes_.find(id);
  if (found == probes_.end()) return;
  loop_.cancel(found->second.timer);
  probes_.erase(found);
}

Prober::View Prober::view(ProbeId id) const {
  const auto found = probes_.find(id);
  if (found == probes_.end()) return {};
  const Probe& probe = found->second;
  return {probe.record.reached(), probe.record.last_answer(), probe.trouble};
}

// The loop has read every answer that waited before it comes here.
void Prober::turn(ProbeId id) {
  Probe& probe = probes_.at(id);
  const Reached before = probe.record.reached();
  const std::uint16_t sequence = probe.record.next();
  probe.trouble = send(probe, sequence);
  probe.timer = loop_.call_at(sys::now() + probe.target.interval, [this, id] { turn(id); });
  if (probe.record.reached() != before && probe.callbacks.changed) probe.callbacks.changed();
}

std::string Prober::send(Probe& probe, std::uint16_t sequence) {
  const ProbeTarget& target = probe.target;
  const sys::LinkInfo* link = needs_device(target) ? links_.find(target.device) : nullptr;
  if (needs_device(target) && link == nullptr) return "device " + target.device + " is gone";
  probe.ifindex = link == nullptr ? 0 : link->ifindex;
  if (link != nullptr) probe.mac = link->mac;
  const bool ipv6 = target.address.ipv6;
  Status sent = Ok{};
  if (target.method == ProbeMethod::arp) {
    sent = on_socket(arp_, sys::ProbeSocket::open_arp, [this](const auto& a) { on_arp(a); });
    if (sent) sent = arp_->send(probe.ifindex, sys::arp_probe(probe.mac, target.address));
  } else if (target.method == ProbeMethod::neighbour) {
    sent = on_socket(neighbours_, sys::ProbeSocket::open_neighbours,
                     [this](const auto& a) { on_neighbour(a); });
    if (sent)
      sent = neighbours_->send(probe.ifindex, sys::solicited_node(target.address),
                               sys::neighbour_solicitation(probe.mac, target.address));
  } else {
    Socket& socket = ipv6 ? echo6_ : echo4_;
    sent = on_socket(
        socket, [&] { return sys::ProbeSocket::open_echo(ipv6, identifier_); },
        [this](const auto& a) { on_echo(a); });
    if (sent)
      sent = socket->send(probe.ifindex, target.address,
                          sys::echo_request({identifier_, sequence, cookie_}, ipv6));
  }
  return sent ? std::string() : sent.error().message;
}

Status Prober::on_socket(Socket& socket, const std::function<Result<sys::ProbeSocket>()>& open,
                         const sys::ProbeSocket::Visitor& visit) {
  if (socket) return Ok{};
  auto opened = open();
  if (!opened) return fail(opened.error());
  socket = std::move(opened).value();
  auto added = loop_.add(socket->fd(), EPOLLIN, [&socket, visit](auto) { socket->read(visit); });
  if (!added) socket.reset();
  return added;
}

// `takes(probe)`: none when the answer is not this probe's business; a reason why it is refused; or
// empty when the probe counts it. Refused everywhere it is counted once, by the first reason.
template <typename Takes>
void Prober::settle(const Takes& takes) {
  const char* refused = nullptr;
  bool taken = false;
  for (auto& [id, probe] : probes_) {
    const Reached before = probe.record.reached();
    const std::optional<const char*> word = takes(probe);
    if (!word) continue;
    if (*word != nullptr) {
      refused = refused == nullptr ? *word : refused;
      continue;
    }
    taken = true;
    if (probe.record.reached() != before && probe.callbacks.changed) probe.callbacks.changed();
    if (probe.callbacks.answered) probe.callbacks.answered();
  }
  if (!taken && refused != nullptr) reject(refused);
}

void Prober::on_arp(const sys::ProbeSocket::Answer& answer) {
  settle([&](Probe& probe) -> std::optional<const char*> {
    if (probe.target.method != ProbeMethod::arp) return std::nullopt;
    const auto from = sys::arp_answer(answer.packet, probe.mac);
    if (!from || *from != probe.target.address) return std::nullopt;
    if (answer.ifindex != probe.ifindex) return kWrongDevice;
    return probe.record.answered(answer.at) ? nullptr : kNotAsked;
  });
}

// The kernel's own questions are answered here as well: that proves as much.
void Prober::on_neighbour(const sys::ProbeSocket::Answer& answer) {
  const auto from = sys::neighbour_answer(answer.packet);
  if (!from) return;
  settle([&](Probe& probe) -> std::optional<const char*> {
    if (probe.target.method != ProbeMethod::neighbour || *from != probe.target.address)
      return std::nullopt;
    if (answer.ifindex != probe.ifindex) return kWrongDevice;
    if (answer.hop_limit != sys::kNeighbourHopLimit) return kFromAfar;
    return probe.record.answered(answer.at) ? nullptr : kNotAsked;
  });
}

void Prober::on_echo(const sys::ProbeSocket::Answer& answer) {
  const auto echo = sys::echo_answer(answer.packet, answer.from.ipv6);
  if (!echo || echo->identifier != identifier_ || echo->cookie != cookie_) return reject(kForged);
  settle([&](Probe& probe) -> std::optional<const char*> {
    if (probe.target.method != ProbeMethod::echo || answer.from != probe.target.address)
      return std::nullopt;
    if (probe.ifindex != 0 && answer.ifindex != probe.ifindex) return kWrongDevice;
    return probe.record.answered(echo->sequence, answer.at) ? nullptr : kNotAsked;
  });
}

}  // namespace hotpair::daemon
