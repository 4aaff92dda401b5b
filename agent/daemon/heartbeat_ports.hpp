// Keeps a receiving and a sending channel open on every heartbeat interface: opened when the device
// is there, closed when it is gone, opened again when it returns. Opening and closing a capture can
// wait for the kernel, so both happen in the worker. A device that is down when it is first seen is
// brought up, so that no boot script is needed for it; one that an operator takes down later stays
// down.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/daemon/heartbeat_receiver.hpp"
#include "agent/daemon/heartbeat_sender.hpp"
#include "agent/daemon/worker.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/netlink_link.hpp"

namespace hotpair::daemon {

class HeartbeatPorts {
 public:
  struct Needs {
    sys::EventLoop& loop;
    Worker& worker;
    const sys::LinkMonitor& links;
    HeartbeatReceiver& receiver;
    HeartbeatSender& sender;
    Log log;
  };
  HeartbeatPorts(Needs needs, const std::vector<HeartbeatPath>& paths);
  ~HeartbeatPorts();

  // Opens what can be opened now, in this thread. Fails when not one of them could: a node that
  // cannot hear has no say in who is primary.
  Status open_all();
  // After a change of devices.
  void refresh();

 private:
  struct Pair {
    std::unique_ptr<sys::PcapChannel> receive;
    HeartbeatSender::Channel send;
  };
  struct Port {
    HeartbeatPath path;
    int ifindex = 0;  // of the device the channels are on; 0: closed
    int seen = 0;     // of the device last opened
    bool opening = false;
    std::string trouble;  // why it could not be opened; said when it changes
    std::unique_ptr<sys::PcapChannel> receive;
    sys::TimerId retry = 0;
  };
  struct Device {
    HeartbeatPath path;
    sys::MacAddress mac{};
    bool raise = false;  // bring it up first
  };
  static Result<std::shared_ptr<Pair>> open_pair(const Device& device);
  static Device device_of(const Port& port, const sys::LinkInfo& link);
  void install(std::size_t index, int ifindex, Pair& pair);
  void open_later(std::size_t index);
  void reopened(std::size_t index, int ifindex, Pair& pair);
  void close(std::size_t index);
  void try_again(std::size_t index, const std::string& trouble);
  void on_readable(std::size_t index);

  Needs needs_;
  std::vector<Port> ports_;
};

}  // namespace hotpair::daemon
