#include "agent/daemon/heartbeat_ports.hpp"

#include <utility>

#include "agent/daemon/ethernet_frame.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/link_up.hpp"

namespace hotpair::daemon {
namespace {

constexpr Duration kRetry = 1s;
constexpr std::size_t kFramesATurn = 64;

}  // namespace

HeartbeatPorts::HeartbeatPorts(Needs needs, const std::vector<HeartbeatPath>& paths)
    : needs_(std::move(needs)) {
  for (const auto& path : paths) {
    Port port;
    port.path = path;
    ports_.push_back(std::move(port));
  }
}

HeartbeatPorts::~HeartbeatPorts() {
  for (auto& port : ports_) {
    needs_.loop.cancel(port.retry);
    if (port.receive) needs_.loop.remove(port.receive->fd());
  }
}

HeartbeatPorts::Device HeartbeatPorts::device_of(const Port& port, const sys::LinkInfo& link) {
  return {port.path, link.mac, port.seen != link.ifindex && !link.admin_up};
}

Result<std::shared_ptr<HeartbeatPorts::Pair>> HeartbeatPorts::open_pair(const Device& device) {
  if (device.raise)
    if (Status up = sys::bring_up(device.path.device); !up) return Failure<Error>{up.error()};
  sys::PcapOptions options;
  options.device = device.path.device;
  options.ethertype = device.path.ethertype;
  options.destination_prefix = kHeartbeatPrefix;  // also a peer's with another ethertype or group
  auto receive = sys::PcapChannel::open(options);
  if (!receive) return Failure<Error>{receive.error()};
  options.receive = false;
  auto send = sys::PcapChannel::open(options);
  if (!send) return Failure<Error>{send.error()};
  auto pair = std::make_shared<Pair>();
  pair->receive = std::move(receive).value();
  pair->send = {std::move(send).value(), device.mac};
  return pair;
}

Status HeartbeatPorts::open_all() {
  std::string first_error;
  bool any = false;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const auto* link = needs_.links.find(ports_[i].path.device);
    std::string error = "heartbeat interface " + ports_[i].path.device +
                        " does not exist; see 'ip link' and heartbeat_interfaces in node.yaml";
    if (link != nullptr) {
      auto pair = open_pair(device_of(ports_[i], *link));
      if (pair) {
        install(i, link->ifindex, **pair);
        any = true;
        continue;
      }
      error = pair.error().message;
    }
    needs_.log.warning("heartbeat-interface-missing", error,
                       {{"interface", ports_[i].path.device}});
    try_again(i, error);
    if (first_error.empty()) first_error = error;
  }
  if (!any) return fail_with(first_error);
  return Ok{};
}

void HeartbeatPorts::install(std::size_t index, int ifindex, Pair& pair) {
  Port& port = ports_[index];
  port.receive = std::move(pair.receive);
  port.ifindex = port.seen = ifindex;
  port.trouble.clear();
  (void)needs_.loop.add(port.receive->fd(), EPOLLIN, [this, index](auto) { on_readable(index); });
  (void)needs_.sender.replace(index, std::move(pair.send));
}

void HeartbeatPorts::refresh() {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const auto* link = needs_.links.find(ports_[i].path.device);
    const int ifindex = link == nullptr ? 0 : link->ifindex;
    if (ports_[i].ifindex != 0 && ports_[i].ifindex != ifindex) close(i);
    if (ifindex != 0 && ports_[i].ifindex == 0) open_later(i);
  }
}

void HeartbeatPorts::open_later(std::size_t index) {
  Port& port = ports_[index];
  const auto* link = needs_.links.find(port.path.device);
  if (port.opening || link == nullptr) return;
  port.opening = true;
  needs_.worker.run([device = device_of(port, *link)] { return open_pair(device); },
                    [this, index, ifindex = link->ifindex](auto& pair) {
                      ports_[index].opening = false;
                      if (pair) return reopened(index, ifindex, **pair);
                      const std::string& trouble = pair.error().message;
                      if (trouble != ports_[index].trouble)
                        needs_.log.warning("heartbeat-interface-failed", trouble,
                                           {{"interface", ports_[index].path.device}});
                      try_again(index, trouble);
                    });
}

void HeartbeatPorts::reopened(std::size_t index, int ifindex, Pair& pair) {
  install(index, ifindex, pair);
  const std::string& device = ports_[index].path.device;
  needs_.log.notice("heartbeat-interface-open", "heartbeats go over " + device + " again",
                    {{"interface", device}});
  refresh();
}

void HeartbeatPorts::try_again(std::size_t index, const std::string& trouble) {
  Port& port = ports_[index];
  port.trouble = trouble;
  needs_.loop.cancel(port.retry);
  port.retry = needs_.loop.call_at(sys::now() + kRetry, [this] { refresh(); });
}

void HeartbeatPorts::close(std::size_t index) {
  Port& port = ports_[index];
  if (!port.receive) return;
  needs_.loop.remove(port.receive->fd());
  auto pair = std::make_shared<Pair>();
  pair->receive = std::move(port.receive);
  pair->send = needs_.sender.replace(index, {});
  port.ifindex = 0;
  needs_.log.warning("heartbeat-interface-lost",
                     "heartbeat interface " + port.path.device + " is gone",
                     {{"interface", port.path.device}});
  needs_.worker.run([pair = std::move(pair)]() mutable { pair.reset(); });
}

void HeartbeatPorts::on_readable(std::size_t index) {
  Port& port = ports_[index];
  const auto received = port.receive->receive(
      [this, index](const sys::FrameView& frame) {
        needs_.receiver.on_frame(static_cast<agent::PathId>(index), frame);
      },
      kFramesATurn);
  if (received) return;
  close(index);
  needs_.loop.cancel(port.retry);
  port.retry = needs_.loop.call_at(sys::now() + kRetry, [this] { refresh(); });
}

}  // namespace hotpair::daemon
