#include "agent/daemon/tunnel.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/eventfd.h>

#include "agent/daemon/ethernet_frame.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/netlink_addr.hpp"
#include "platform/linux/scheduling.hpp"
#include "platform/linux/sysctl.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

constexpr Duration kRetry = 1s;
constexpr std::size_t kFramesATurn = 32;
// Small, so that what is sent in one go occupies a slow link for less than a heartbeat interval.
constexpr std::uint64_t kBurst = 16 * 1024;
constexpr int kSnaplen = 1600;
static_assert(kEthernetHeaderSize + agent::kMaxClusterFrame <= kSnaplen);

sys::InterfaceAddress address_on(int ifindex, const sys::IpAddress& address, std::uint8_t length) {
  return {ifindex, {address, length}, sys::InterfaceAddress::Scope::link};
}

}  // namespace

std::string_view to_string(Tunnel::Drop reason) {
  switch (reason) {
    case Tunnel::Drop::no_path:
      return "no_path";
    case Tunnel::Drop::send_failed:
      return "send_failed";
    case Tunnel::Drop::device_down:
      return "device_down";
    case Tunnel::Drop::count_:
      break;
  }
  return "unknown";
}

Result<std::unique_ptr<Tunnel>> Tunnel::start(Needs needs) {
  sys::FileDescriptor wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake) return sys::fail_errno("cannot make the cluster network's eventfd", errno);
  auto tunnel = std::unique_ptr<Tunnel>(new Tunnel(std::move(needs), std::move(wake)));
  tunnel->thread_ = std::thread([raw = tunnel.get()] { raw->serve(); });
  return tunnel;
}

Tunnel::Tunnel(Needs needs, sys::FileDescriptor wake)
    : needs_(std::move(needs)),
      wake_(std::move(wake)),
      channel_(needs_.self, needs_.group, cipher_),
      own_(agent::cluster_address(needs_.group, needs_.self)),
      peers_(agent::cluster_address(needs_.group, agent::other(needs_.self))),
      bucket_(needs_.bytes_per_second, kBurst) {
  orders_.bytes_per_second = needs_.bytes_per_second;
  for (const auto& path : needs_.paths) {
    Port port;
    port.path = path;
    ports_.push_back(std::move(port));
  }
}

Tunnel::~Tunnel() {
  stopping_ = true;
  ::eventfd_write(wake_.get(), 1);
  if (thread_.joinable()) thread_.join();
}

void Tunnel::use_keys(const std::optional<agent::ChannelKeys>& keys) {
  {
    const std::lock_guard lock(mutex_);
    orders_.keys = keys;
  }
  ::eventfd_write(wake_.get(), 1);
}

void Tunnel::use_path(std::optional<agent::PathId> path) {
  {
    const std::lock_guard lock(mutex_);
    orders_.path = path;
  }
  ::eventfd_write(wake_.get(), 1);
}

void Tunnel::set_rate(std::uint64_t bytes_per_second) {
  {
    const std::lock_guard lock(mutex_);
    orders_.bytes_per_second = bytes_per_second;
  }
  ::eventfd_write(wake_.get(), 1);
}

Tunnel::View Tunnel::view() const {
  View view;
  view.up = up_;
  view.mtu = mtu_;
  view.frames_sent = frames_sent_;
  view.bytes_sent = bytes_sent_;
  view.frames_received = frames_received_;
  view.bytes_received = bytes_received_;
  const auto list = [&view]<typename E>(const Counters<E>& counters, E, const std::string& what) {
    for (std::size_t i = 0; i < counters.size(); ++i)
      if (const std::uint64_t times = counters[i]; times > 0)
        view.dropped.emplace_back(what + std::string(to_string(static_cast<E>(i))), times);
  };
  list(drops_, Drop{}, "");
  list(refused_out_, agent::InnerDrop{}, "out_");
  list(refused_in_, agent::InnerDrop{}, "in_");
  list(rejected_, agent::Rejection{}, "frame_");
  const std::lock_guard lock(mutex_);
  view.problem = problem_;
  return view;
}

void Tunnel::serve() {
  sys::set_thread_name("cluster-net");
  while (!stopping_) {
    take_orders();
    const Instant now = sys::now();
    open_what_is_closed(now);
    wait(now);
    send_waiting();
    for (std::size_t i = 0; i < ports_.size(); ++i) receive_on(i);
  }
}

void Tunnel::take_orders() {
  const std::lock_guard lock(mutex_);
  if (const auto keys = std::exchange(orders_.keys, std::nullopt)) channel_.use(*keys);
  path_ = orders_.path;
  bucket_.set_rate(orders_.bytes_per_second);
}

void Tunnel::open_what_is_closed(Instant now) {
  if (now < retry_at_) return;
  retry_at_ = now + kRetry;
  bool opened = false;
  for (auto& port : ports_)
    if (!port.pcap) opened |= open_port(port).ok();
  if (tap_) {
    if (opened) fit_mtu();
    return;
  }
  if (Status done = open_device(); !done) {
    tap_.reset();
    set_problem(done.error().message);
  }
}

Status Tunnel::open_port(Port& port) {
  auto facts = sys::device_facts(port.path.device);
  if (!facts) return fail(facts.error());
  sys::PcapOptions options;
  options.device = port.path.device;
  options.ethertype = port.path.ethertype;
  options.destination_prefix = kClusterNetworkPrefix;
  options.snaplen = kSnaplen;
  options.priority = 0;
  auto channel = sys::PcapChannel::open(options);
  if (!channel) return fail(channel.error());
  port.pcap = std::move(channel).value();
  port.facts = *facts;
  return Ok{};
}

Status Tunnel::open_device() {
  sys::TapOptions options{kClusterDevice, own_.mac, agent::kMaxClusterMtu};
  auto tap = sys::Tap::open(options);
  if (!tap) return fail(tap.error());
  tap_ = std::move(tap).value();
  if (Status done = give_addresses(); !done) return done;
  fit_mtu();
  up_ = true;
  set_problem("");
  needs_.log.notice("cluster-network-up",
                    std::string(kClusterDevice) + " carries the cluster network",
                    {{"device", kClusterDevice}, {"mtu", std::uint64_t{mtu_}}});
  return Ok{};
}

// The pair alone is on it, so nothing is asked of the neighbours and nothing forwarded.
Status Tunnel::give_addresses() {
  const std::string device = kClusterDevice;
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"ipv6/conf/hotpair0/addr_gen_mode", "1"},
           {"ipv6/conf/hotpair0/accept_ra", "0"},
           {"ipv6/conf/hotpair0/accept_dad", "0"},
           {"ipv6/conf/hotpair0/forwarding", "0"},
           {"ipv4/conf/hotpair0/forwarding", "0"}})
    (void)sys::write_sysctl(std::string("net/") + name, value);  // IPv6 may be switched off
  if (Status up = tap_->bring_up(); !up) return up;
  auto table = sys::AddressTable::open();
  if (!table) return fail(table.error());
  sys::IpAddress v4, v6;
  std::copy(own_.ipv4.begin(), own_.ipv4.end(), v4.bytes.begin());
  v6.ipv6 = true;
  v6.bytes = own_.ipv6;
  using What = sys::AddressOperation::What;
  const std::array<sys::AddressOperation, 2> operations{
      {{What::add_address, address_on(tap_->ifindex(), v4, agent::kClusterIpv4Prefix)},
       {What::add_address, address_on(tap_->ifindex(), v6, agent::kClusterIpv6Prefix)}}};
  const auto results = table->apply(operations, 1s);
  if (!results[0].ok) return fail_with(results[0].text);
  if (!results[1].ok) needs_.log.warning("cluster-network-ipv4-only", results[1].text);
  return Ok{};
}

void Tunnel::fit_mtu() {
  std::uint32_t smallest = 0;
  for (const auto& port : ports_)
    if (port.pcap && (smallest == 0 || port.facts.mtu < smallest)) smallest = port.facts.mtu;
  const std::uint32_t mtu = agent::cluster_mtu(smallest);
  if (Status done = tap_->set_mtu(mtu); !done) return set_problem(done.error().message);
  mtu_ = mtu;
}

void Tunnel::set_problem(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  if (problem == problem_) return;
  problem_ = problem;
  if (!problem.empty()) needs_.log.warning("cluster-network-failed", problem);
}

void Tunnel::wait(Instant now) {
  std::array<pollfd, 2 + agent::kMaxPaths> waited{};
  std::size_t used = 0;
  waited[used++] = {wake_.get(), POLLIN, 0};
  if (tap_ && !held_) waited[used++] = {tap_->fd(), POLLIN, 0};
  for (const auto& port : ports_)
    if (port.pcap) waited[used++] = {port.pcap->fd(), POLLIN, 0};
  const Instant until = held_ ? std::min(held_until_, retry_at_) : retry_at_;
  const auto left = std::max<Duration>(until - now, Duration::zero());
  const timespec timeout{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
  if (::ppoll(waited.data(), used, &timeout, nullptr) <= 0) return;
  if (eventfd_t times = 0; waited[0].revents != 0) ::eventfd_read(wake_.get(), &times);
}

void Tunnel::send_waiting() {
  if (!tap_) return;
  for (std::size_t i = 0; i < kFramesATurn; ++i) {
    if (!held_) {
      const std::size_t size = tap_->read(held_frame_);
      if (size == 0) return;
      held_ = size;
    }
    if (!send_one(Bytes(held_frame_).first(*held_))) return;
    held_.reset();
  }
}

// False: the rate holds it back; everything else is the frame's end.
bool Tunnel::send_one(Bytes inner) {
  if (const auto reason = agent::judge_inner(inner, own_, peers_))
    return count(refused_out_, *reason), true;
  if (!path_ || !channel_.ready() || !ports_[*path_].pcap)
    return count(drops_, Drop::no_path), true;
  const std::size_t on_wire =
      kEthernetHeaderSize + agent::kHeartbeatHeaderSize + inner.size() + agent::kTagSize;
  const Instant now = sys::now();
  if (!bucket_.take(on_wire, now)) {
    held_until_ = now + bucket_.wait_for(on_wire);
    return false;
  }
  Port& port = ports_[*path_];
  const std::size_t sealed =
      channel_.seal(*path_, inner, MutableBytes(outer_).subspan(kEthernetHeaderSize));
  write_ethernet_header({cluster_network_destination(needs_.group), port.facts.mac, port.path.vlan,
                         port.path.ethertype, 0},
                        outer_);
  if (!port.pcap->send(Bytes(outer_).first(kEthernetHeaderSize + sealed)))
    return count(drops_, Drop::send_failed), true;
  ++frames_sent_;
  bytes_sent_ += inner.size();
  return true;
}

void Tunnel::receive_on(std::size_t path) {
  Port& port = ports_[path];
  if (!port.pcap) return;
  const auto received =
      port.pcap->receive([&](const sys::FrameView& frame) { take(path, frame); }, kFramesATurn);
  if (!received) port.pcap.reset();  // opened again when the device is back
}

void Tunnel::take(std::size_t path, const sys::FrameView& frame) {
  const HeartbeatPath& ours = ports_[path].path;
  if (frame.ethertype != ours.ethertype) return count(rejected_, agent::Rejection::wrong_ethertype);
  if (frame.tags != 1 || frame.vlan != ours.vlan)
    return count(rejected_, agent::Rejection::wrong_vlan);
  const auto opened = channel_.open(static_cast<agent::PathId>(path), frame.payload, inner_);
  if (!opened) return count(rejected_, opened.error());
  const Bytes inner = Bytes(inner_).first(*opened);
  if (const auto reason = agent::judge_inner(inner, peers_, own_))
    return count(refused_in_, *reason);
  if (!tap_ || !tap_->write(inner)) return count(drops_, Drop::device_down);
  ++frames_received_;
  bytes_received_ += inner.size();
}

}  // namespace hotpair::daemon
