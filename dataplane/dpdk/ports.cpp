#include "dataplane/dpdk/ports.hpp"

#include <algorithm>
#include <utility>

#include "platform/linux/numa.hpp"

namespace hotpair::dpdk {

namespace {

constexpr Duration kFirstRetry = 1s, kLastRetry = 30s;
constexpr Duration kLongHelloEvery = 1s;
constexpr Duration kStuck = 1s, kShortAfterStuck = 10min;
constexpr std::size_t kLeastFrame = 60;  // of Ethernet, checksum not included

}  // namespace

Result<std::unique_ptr<Ports>> Ports::open(const std::vector<std::string>& devices,
                                           Counters& counters, Log log) {
  std::unique_ptr<Ports> out(new Ports(devices, counters, std::move(log)));
  std::string why;
  bool any = false;
  for (Slot& slot : out->slots_) {
    const Status opened = out->open(slot);
    any = any || opened.ok();
    if (opened.ok()) continue;
    why += (why.empty() ? "" : " | ") + opened.error().message;
  }
  if (!any) return fail_with(why);
  for (std::size_t i = 0; i < out->slots_.size(); ++i) out->watch_link(i, Instant{});
  out->choice_.decide(Instant{});
  return out;
}

Ports::Ports(const std::vector<std::string>& devices, Counters& counters, Log log)
    : counters_(counters),
      log_(std::move(log)),
      choice_(std::vector<std::size_t>(devices.size(), PortChoice::kStandardFrame)) {
  for (const std::string& device : devices) {
    slots_.emplace_back();
    slots_.back().device = device;
  }
}

Status Ports::open(Slot& slot) {
  auto port = Port::open(slot.device, counters_);
  if (port.ok()) {
    slot.port = std::move(port).value();
    slot.wire = {slot.port->mac(), std::nullopt};
    slot.retry_after = {};
    slot.said = false;
    tell_nodes(slot);
    return Ok{};
  }
  const std::string sentence = "session-sync device " + slot.device + ": " + port.error().message;
  if (!std::exchange(slot.said, true))
    log_.warning("port-unusable", sentence, {{"device", slot.device}});
  return fail_with(sentence);
}

void Ports::tell_nodes(const Slot& slot) const {
  if (const auto node = slot.port->far_node())
    log_.info("port-far",
              "the session-sync port " + slot.device + " is on NUMA node " + std::to_string(*node) +
                  " and this program on another; name a CPU of that node in session_sync.lcores",
              {{"device", slot.device}});
  if (const auto node = slot.port->crowded_node())
    log_.info("port-memory-far",
              "NUMA node " + std::to_string(*node) +
                  " has no hugepages for the session-sync port " + slot.device +
                  ", whose packet buffers are on another; reserve some with '" +
                  sys::reserve_hugepages_command(*node) + "'",
              {{"device", slot.device}});
}

void Ports::close(std::size_t port, Instant retry_at) {
  Slot& slot = slots_[port];
  slot.port.reset();
  slot.retry_at = retry_at;
  choice_.on_link(port, false, PortChoice::kStandardFrame);
}

void Ports::retry(std::size_t port, Instant now) {
  Slot& slot = slots_[port];
  if (now < slot.retry_at) return;
  if (open(slot).ok()) {
    ++counters_.ports_opened;
    log_.notice("port-opened", "the session-sync port " + slot.device + " can be used again",
                {{"device", slot.device}});
    return watch_link(port, now);
  }
  slot.retry_after = std::clamp(slot.retry_after * 2, kFirstRetry, kLastRetry);
  slot.retry_at = now + slot.retry_after;
}

void Ports::watch_link(std::size_t port, Instant now) {
  Slot& slot = slots_[port];
  if (!slot.port) return;
  const Port::Link link = slot.port->link();
  if (link == Port::Link::replaced) {
    log_.notice(
        "port-replaced",
        "the interface of " + slot.device + " was removed and made anew; it is opened again",
        {{"device", slot.device}});
    return close(port, now);
  }
  if (link == Port::Link::wanted_back) {
    log_.warning("port-unplugged",
                 "the NIC of the session-sync port " + slot.device +
                     " is to be unplugged, and is given back; it is used again once it is there",
                 {{"device", slot.device}});
    return close(port, now + kFirstRetry);
  }
  const bool up = link == Port::Link::up;
  if (const auto& stuck = slot.port->stuck_since(); up && stuck && now - *stuck >= kStuck) {
    log_.warning("port-stuck", "nothing leaves by " + slot.device + " any more; it is opened again",
                 {{"device", slot.device}});
    slot.short_until = now + kShortAfterStuck;
    return close(port, now);
  }
  if (up != choice_.up(port))
    log_.notice("port-link", "the session-sync port " + slot.device + " is " + (up ? "up" : "down"),
                {{"device", slot.device}});
  const std::size_t longest = slot.port->max_frame();
  choice_.on_link(port, up, now < slot.short_until ? PortChoice::kStandardFrame : longest);
}

void Ports::watch(Instant now) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].port) retry(i, now);
    watch_link(i, now);
  }
  decide(now);
}

void Ports::decide(Instant now) {
  const std::string before = device();
  if (!choice_.decide(now)) return;
  ++counters_.port_changes;
  log_.warning("port-change",
               "sessions are sent over " + device() + "; " + before +
                   " is no longer proven to reach the peer, or less preferred",
               {{"device", device()}, {"before", before}});
}

void Ports::on_hello(std::size_t port, Bytes body, std::size_t frame, Instant now) {
  ++counters_.hellos_in;
  if (const auto hello = Hello::read(body)) choice_.on_hello(port, *hello, frame, now);
}

void Ports::forget_peer() {
  for (Slot& slot : slots_) slot.wire.peer.reset();
}

MutableBytes Ports::begin_frame(Instant now) {
  Port* port = slots_[choice_.chosen()].port.get();
  if (port == nullptr) return {};
  const MutableBytes frame = port->begin_frame();
  return frame.first(std::min(frame.size(), choice_.room(now)));
}

void Ports::commit(std::size_t size) {
  slots_[choice_.chosen()].port->commit(size);
}

void Ports::flush() {
  for (Slot& slot : slots_)
    if (slot.port) slot.port->flush();
}

std::size_t Ports::relay(FrameIo& frames, Bytes content) {
  std::size_t carried = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Port* port = slots_[i].port.get();
    if (port == nullptr || (slots_.size() > 1 && !choice_.up(i))) continue;
    const MutableBytes frame = port->begin_frame();
    if (frame.empty()) continue;
    const std::size_t size = frames.relay(content, frame, slots_[i].wire);
    port->commit(size);
    port->flush();
    carried += size == 0 ? 0 : 1;
  }
  return carried;
}

void Ports::say_hellos(FrameIo& frames, Instant now) {
  if (!frames.can_send() || now < hello_at_ || !choice_.speaks(now)) return;
  hello_at_ = now + choice_.interval(now);
  const bool is_long = now >= long_hello_at_;
  if (is_long) long_hello_at_ = now + kLongHelloEvery;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].port || !choice_.up(i)) continue;
    say_hello(frames, i, kLeastFrame, now);
    // One that the way may swallow goes beside one that it does not.
    const std::size_t longer = choice_.long_hello(i, now);
    if (is_long && longer > PortChoice::kStandardFrame) say_hello(frames, i, longer, now);
    slots_[i].port->flush();
  }
}

void Ports::say_hello(FrameIo& frames, std::size_t port, std::size_t size, Instant now) {
  const MutableBytes frame = slots_[port].port->begin_frame();
  if (frame.empty()) return;
  const std::size_t body = std::max(size, kFrameOverhead + Hello::kSize) - kFrameOverhead;
  std::fill_n(frame.begin() + kBodyOffset, body, std::uint8_t{0});
  choice_.hello(port, now).write(frame.subspan(kBodyOffset, Hello::kSize));
  slots_[port].port->commit(frames.seal(FrameIo::Kind::hello, frame, body, slots_[port].wire));
  ++counters_.hellos_out;
}

Instant Ports::next_hello(Instant now) const {
  return choice_.speaks(now) ? hello_at_ : now + PortChoice::kSlow;
}

std::vector<Ports::View> Ports::views(Instant now) const {
  std::vector<View> out;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    View view;
    view.device = slots_[i].device;
    view.open = slots_[i].port != nullptr;
    view.up = view.open && choice_.up(i);
    view.chosen = i == choice_.chosen();
    view.heard = choice_.heard(i, now);
    view.proven = choice_.proven(i, now);
    view.mac = slots_[i].wire.own;
    if (view.open) view.traffic = slots_[i].port->traffic();
    out.push_back(std::move(view));
  }
  return out;
}

bool Ports::announced() const {
  return std::all_of(slots_.begin(), slots_.end(),
                     [](const Slot& slot) { return !slot.port || slot.port->wake_fd() >= 0; });
}

std::vector<int> Ports::wake_fds() const {
  std::vector<int> out;
  for (const Slot& slot : slots_)
    if (slot.port && slot.port->wake_fd() >= 0) out.push_back(slot.port->wake_fd());
  return out;
}

}  // namespace hotpair::dpdk
