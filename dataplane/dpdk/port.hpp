// A session-sync port: one DPDK ethdev with one receive and one transmit queue. Frames in and out
// as byte spans; buffers, rings and drivers stay inside. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "dataplane/dpdk/counters.hpp"
#include "dataplane/dpdk/frame_io.hpp"
#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/file_descriptor.hpp"

struct rte_mbuf;
struct rte_mempool;

namespace hotpair::dpdk {

class Port {
 public:
  // A PCI address or a vdev string such as "net_af_packet0,iface=dps0". The error is a sentence
  // with the command that would mend it.
  static Result<std::unique_ptr<Port>> open(const std::string& device, Counters& counters);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  const std::string& device() const { return device_; }
  const Mac& mac() const { return mac_; }
  // Bytes, Ethernet header included, checksum not: what the device sends and receives. Above
  // 1514 whether the way to the peer takes as much is another question. Where somebody lowers the
  // MTU of a kernel interface, link() finds out.
  std::size_t max_frame() const { return max_frame_; }
  // Since when nothing of what was to be sent was taken: a frame that the kernel refuses for its
  // length stays at the head of af_packet's ring for good.
  const std::optional<Instant>& stuck_since() const { return stuck_since_; }
  static constexpr std::size_t kMostFrame = 9014;
  struct Traffic {
    std::uint64_t rx_frames = 0, tx_frames = 0;
  };
  const Traffic& traffic() const { return traffic_; }

  // The NUMA node of the device, when it is known to be another than this lcore's: each frame then
  // crosses between them.
  std::optional<unsigned> far_node() const;
  // The NUMA node that the packet buffers should be on, when it had no memory for them.
  std::optional<unsigned> crowded_node() const;

  // replaced: the kernel interface under the port is another one now. wanted_back: the device is to
  // be unplugged, which waits until the port is gone.
  enum class Link : std::uint8_t { up, down, replaced, wanted_back };
  // Readable when a frame may wait; -1 when the driver has no such thing and must be polled.
  int wake_fd() const { return wake_fd_; }
  Link link();

  // Calls visit(Bytes frame) for at most one burst of frames; returns how many there were.
  template <typename Visit>
  std::size_t receive(Visit&& visit) {
    const std::size_t count = receive_burst();
    for (std::size_t i = 0; i < count; ++i) visit(received(i));
    release_burst(count);
    return count;
  }

  // Room for one frame, max_frame() bytes; empty when no buffer is free. commit() follows, with the
  // bytes used (0: none, the room is given back).
  MutableBytes begin_frame();
  void commit(std::size_t size);
  void flush();  // hands what was committed to the device

  static constexpr std::size_t kBurst = 8;  // an order of the agent waits for one at most

 private:
  Port(std::uint16_t id, std::string device, Counters& counters);
  Status start(std::size_t max_frame);
  std::size_t frame_wanted() const;
  int memory_node() const;
  rte_mempool* new_pool(std::size_t max_frame, int node) const;
  Status make_pool(std::size_t max_frame);
  Status configure(std::size_t max_frame);
  std::size_t receive_burst();
  Bytes received(std::size_t i) const;
  void release_burst(std::size_t count);
  void watch_kernel_interface();

  std::uint16_t id_;
  std::string device_, bus_name_;
  Counters& counters_;
  Mac mac_{};
  std::size_t max_frame_ = 0, buffer_frame_ = 0;
  std::optional<Instant> stuck_since_;
  Traffic traffic_;
  rte_mempool* pool_ = nullptr;
  int buffer_node_ = -1;  // any
  std::array<rte_mbuf*, kBurst> rx_{}, tx_{};
  std::size_t tx_count_ = 0;
  rte_mbuf* open_ = nullptr;
  // Of a port that is a kernel interface (iface=...): what DPDK does not say about it.
  std::string kernel_interface_;
  unsigned kernel_index_ = 0;
  int wake_fd_ = -1;  // the driver's own; not ours to close
  sys::FileDescriptor kernel_socket_;
};

}  // namespace hotpair::dpdk
