#include "dataplane/dpdk/port_choice.hpp"

#include <algorithm>

namespace hotpair::dpdk {

namespace {

constexpr std::uint8_t kHeard = 1, kSeveral = 2;

}  // namespace

void Hello::write(MutableBytes out) const {
  ByteWriter writer(out);
  writer.u8(port);
  writer.u8(static_cast<std::uint8_t>((heard ? kHeard : 0) | (several ? kSeveral : 0)));
  writer.u16(takes);
  writer.u16(longest);
}

// What follows is padding, or of a later version; so are flags unknown here.
std::optional<Hello> Hello::read(Bytes body) {
  ByteReader in(body);
  Hello out;
  out.port = in.u8();
  const std::uint8_t flags = in.u8();
  out.takes = in.u16();
  out.longest = in.u16();
  if (in.failed()) return std::nullopt;
  out.heard = (flags & kHeard) != 0;
  out.several = (flags & kSeveral) != 0;
  return out;
}

PortChoice::PortChoice(const std::vector<std::size_t>& longest_of_ports)
    : ports_(longest_of_ports.size()) {
  for (std::size_t i = 0; i < ports_.size(); ++i) ports_[i].longest = longest_of_ports[i];
}

void PortChoice::on_link(std::size_t port, bool up, std::size_t longest) {
  Port& p = ports_[port];
  p.longest = longest;
  if (p.up == up) return;
  p.up = up;
  // What was heard before the cable was pulled proves nothing about the one that is plugged in.
  p.heard_at.reset();
  p.long_heard_at.reset();
  p.settling_since.reset();
}

void PortChoice::on_hello(std::size_t port, const Hello& hello, std::size_t frame, Instant now) {
  Port& p = ports_[port];
  p.heard_at = asked_at_ = now;
  p.last = hello;
  if (hello.several) hurried_at_ = now;
  if (frame >= p.long_heard || !since(p.long_heard_at, kRecent, now)) {
    p.long_heard = frame;
    p.long_heard_at = now;
  }
}

bool PortChoice::heard(std::size_t port, Instant now) const {
  // Two ends with one port each say hello slowly.
  const Duration silence = std::max(kSilence, interval(now) * 7 / 2);
  return ports_[port].up && since(ports_[port].heard_at, silence, now);
}

bool PortChoice::proven(std::size_t port, Instant now) const {
  return heard(port, now) && ports_[port].last.heard;
}

std::optional<std::size_t> PortChoice::best(Instant now) const {
  const bool stays = proven(chosen_, now);
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (!proven(i, now)) continue;
    const auto& began = ports_[i].settling_since;
    if (i == chosen_ || !stays || (i < chosen_ && began && now - *began >= kSettled)) return i;
  }
  if (ports_[chosen_].up) return std::nullopt;
  // Nothing is proven, as with a peer that says no hello: any link is better than none.
  for (std::size_t i = 0; i < ports_.size(); ++i)
    if (ports_[i].up) return i;
  return std::nullopt;
}

bool PortChoice::decide(Instant now) {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    auto& began = ports_[i].settling_since;
    if (!proven(i, now))
      began.reset();
    else if (!began)
      began = now;
  }
  const std::size_t before = chosen_;
  chosen_ = best(now).value_or(chosen_);
  return chosen_ != before;
}

std::size_t PortChoice::room(Instant now) const {
  const Port& p = ports_[chosen_];
  if (!since(p.heard_at, kRecent, now)) return std::min(p.longest, kStandardFrame);
  return std::min<std::size_t>(p.longest, std::max<std::size_t>(kStandardFrame, p.last.longest));
}

std::size_t PortChoice::long_hello(std::size_t port, Instant now) const {
  const Port& p = ports_[port];
  return since(p.heard_at, kRecent, now) ? std::min<std::size_t>(p.longest, p.last.takes) : 0;
}

bool PortChoice::speaks(Instant now) const {
  const bool jumbo = std::any_of(ports_.begin(), ports_.end(),
                                 [](const Port& p) { return p.longest > kStandardFrame; });
  return ports_.size() > 1 || jumbo || since(asked_at_, kRecent, now);
}

Duration PortChoice::interval(Instant now) const {
  return ports_.size() > 1 || since(hurried_at_, kRecent, now) ? kQuick : kSlow;
}

Hello PortChoice::hello(std::size_t port, Instant now) const {
  const Port& p = ports_[port];
  Hello out;
  out.port = static_cast<std::uint8_t>(port);
  out.heard = heard(port, now);
  out.several = ports_.size() > 1;
  out.takes = static_cast<std::uint16_t>(p.longest);
  if (since(p.long_heard_at, kRecent, now))
    out.longest = static_cast<std::uint16_t>(std::min<std::size_t>(p.long_heard, 0xffff));
  return out;
}

}  // namespace hotpair::dpdk
