#include "dataplane/dpdk/port.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "dataplane/dpdk/device_requests.hpp"
#include "dataplane/dpdk/eal.hpp"
#include "dataplane/dpdk/port_device.hpp"
#include "dataplane/dpdk/xdp_buffers.hpp"
#include "platform/base/assert.hpp"
#include "platform/base/dpdk_device.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/numa.hpp"

namespace hotpair::dpdk {

namespace {

constexpr std::uint16_t kDescriptors = 512;
// Both rings full, a burst in each hand, and the per-core cache: 5 MB, or 20 of jumbo frames.
constexpr unsigned kBuffers = 2047;
// af_xdp gives the kernel 2048 buffers to fill before anything else, and takes back what was sent
// when there are half as many of that: 25 MB in all.
constexpr unsigned kAfXdpBuffers = 6143;
constexpr unsigned kBufferCache = 64;
constexpr std::size_t kStandardFrame = 1514;

Status refused(const char* step, int error) {
  const std::string words = last_eal_words();
  return fail_with(std::string("the device refuses ") + step + " (" + rte_strerror(error) +
                   (words.empty() ? "" : "; it says: " + words) + ")");
}

// The ethdev of a device; probed now unless DPDK did so when it started.
Result<std::uint16_t> probe(const std::string& device) {
  if (Status ready = prepare_device(device); !ready.ok()) return fail(ready.error());
  const std::string name = device.substr(0, device.find(','));
  std::uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) return id;
  const int result = rte_dev_probe(with_jumbo_rings(device).c_str());
  if (result != 0 && result != -EEXIST) return fail_with(explain_refusal(device, -result));
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0)
    return fail_with(explain_refusal(device, ENODEV));
  return id;
}

}  // namespace

Result<std::unique_ptr<Port>> Port::open(const std::string& device, Counters& counters) {
  auto id = probe(device);
  if (!id.ok()) return fail(id.error());
  std::unique_ptr<Port> port(new Port(*id, device, counters));
  const std::size_t wanted = port->frame_wanted();
  Status started = port->start(wanted);
  // Some devices name an MTU that they refuse in the end.
  if (!started.ok() && wanted > kStandardFrame) started = port->start(kStandardFrame);
  if (!started.ok()) return fail(started.error());
  return port;
}

Port::Port(std::uint16_t id, std::string device, Counters& counters)
    : id_(id),
      device_(std::move(device)),
      counters_(counters),
      kernel_interface_(kernel_interface_of(device_)) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id_, &info) == 0 && info.device != nullptr)
    bus_name_ = rte_dev_name(info.device);
  (void)take_device_request(bus_name_);  // of a device that is gone
}

Port::~Port() {
  if (open_ != nullptr) rte_pktmbuf_free(open_);
  for (std::size_t i = 0; i < tx_count_; ++i) rte_pktmbuf_free(tx_[i]);
  (void)rte_eth_dev_stop(id_);
  rte_eth_dev_info info{};
  const bool known = rte_eth_dev_info_get(id_, &info) == 0;
  (void)rte_eth_dev_close(id_);
  // A device that DPDK still knows could not be opened anew over another kernel interface, and one
  // that it still holds could not be unplugged.
  if (known && info.device != nullptr) (void)rte_dev_remove(info.device);
  rte_mempool_free(pool_);
}

std::size_t Port::frame_wanted() const {
  std::size_t mtu = 0;
  if (!kernel_interface_.empty()) {
    mtu = kernel_mtu(kernel_interface_);
  } else if (rte_eth_dev_info info{}; rte_eth_dev_info_get(id_, &info) == 0) {
    mtu = info.max_mtu;
  }
  return std::clamp(mtu + kEthernetHeader, kStandardFrame, kMostFrame);
}

// Where the device reads and writes packets, if it is near any CPU more than others; else where
// this lcore is.
int Port::memory_node() const {
  const int device = rte_eth_dev_socket_id(id_);
  return device >= 0 ? device : static_cast<int>(rte_socket_id());
}

// DPDK takes a kernel interface to be near every lcore.
std::optional<unsigned> Port::far_node() const {
  const auto device = sys::numa_node_of_device(device_);
  const bool known = device && rte_socket_id() != LCORE_ID_ANY && rte_socket_count() > 1;
  return known && *device != rte_socket_id() ? device : std::nullopt;
}

std::optional<unsigned> Port::crowded_node() const {
  if (buffer_node_ == memory_node()) return std::nullopt;
  return static_cast<unsigned>(memory_node());
}

rte_mempool* Port::new_pool(std::size_t max_frame, int node) const {
  const std::string name = "hotpair_" + std::to_string(id_);
  if (is_af_xdp(device_)) return make_xdp_buffers(name, kAfXdpBuffers, kBufferCache, node);
  const std::size_t room =
      RTE_PKTMBUF_HEADROOM + (max_frame > kStandardFrame ? kJumboSlot : RTE_MBUF_DEFAULT_DATAROOM);
  return rte_pktmbuf_pool_create(name.c_str(), kBuffers, kBufferCache, 0,
                                 static_cast<std::uint16_t>(room), node);
}

Status Port::make_pool(std::size_t max_frame) {
  rte_mempool_free(pool_);
  buffer_node_ = memory_node();
  pool_ = new_pool(max_frame, buffer_node_);
  // Rather far from the device than not at all.
  if (pool_ == nullptr && rte_socket_count() > 1)
    pool_ = new_pool(max_frame, buffer_node_ = SOCKET_ID_ANY);
  if (pool_ != nullptr) return Ok{};
  return fail_with(std::string("no memory for packet buffers (") + rte_strerror(rte_errno) +
                   "); reserve more hugepages, or set session_sync.hugepages: false");
}

Status Port::configure(std::size_t max_frame) {
  rte_eth_conf conf{};
  // A kernel interface has its MTU already, and whoever set it would be overruled.
  if (kernel_interface_.empty() && max_frame > kStandardFrame)
    conf.rxmode.mtu = static_cast<std::uint32_t>(max_frame - kEthernetHeader);
  if (int r = rte_eth_dev_configure(id_, 1, 1, &conf); r != 0)
    return refused("one queue each way", -r);
  std::uint16_t rx = kDescriptors, tx = kDescriptors;
  (void)rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx);
  const auto socket = static_cast<unsigned>(buffer_node_);
  if (int r = rte_eth_rx_queue_setup(id_, 0, rx, socket, nullptr, pool_); r != 0)
    return fail_with(refused("its receive queue", -r).error().message + af_xdp_needs(device_));
  if (int r = rte_eth_tx_queue_setup(id_, 0, tx, socket, nullptr); r != 0)
    return refused("its transmit queue", -r);
  if (int r = rte_eth_dev_start(id_); r != 0) return refused("to start", -r);
  return Ok{};
}

Status Port::start(std::size_t max_frame) {
  if (Status pool = make_pool(max_frame); !pool.ok()) return pool;
  if (Status configured = configure(max_frame); !configured.ok()) return configured;
  max_frame_ = buffer_frame_ = max_frame;
  // Multicast of the cluster's own group must come in; devices without the notion receive it
  // anyway.
  (void)rte_eth_promiscuous_enable(id_);
  (void)rte_eth_allmulticast_enable(id_);
  rte_ether_addr mac{};
  if (rte_eth_macaddr_get(id_, &mac) == 0) std::copy_n(mac.addr_bytes, mac_.size(), mac_.begin());
  watch_kernel_interface();
  return Ok{};
}

void Port::watch_kernel_interface() {
  if (kernel_interface_.empty()) return;
  kernel_index_ = if_nametoindex(kernel_interface_.c_str());
  wake_fd_ = packet_socket_of(kernel_index_);
  kernel_socket_.reset(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

Port::Link Port::link() {
  if (take_device_request(bus_name_)) return Link::wanted_back;
  if (kernel_interface_.empty()) {
    rte_eth_link state{};
    const bool known = rte_eth_link_get_nowait(id_, &state) == 0;
    return known && state.link_status ? Link::up : Link::down;
  }
  ifreq request{};
  std::strncpy(request.ifr_name, kernel_interface_.c_str(), IFNAMSIZ - 1);
  if (ioctl(kernel_socket_.get(), SIOCGIFINDEX, &request) != 0) return Link::down;
  if (static_cast<unsigned>(request.ifr_ifindex) != kernel_index_) return Link::replaced;
  if (const std::size_t mtu = kernel_mtu(kernel_interface_); mtu != 0)
    max_frame_ = std::min(buffer_frame_, std::max(kStandardFrame, mtu + kEthernetHeader));
  if (ioctl(kernel_socket_.get(), SIOCGIFFLAGS, &request) != 0) return Link::down;
  constexpr int kCarries = IFF_UP | IFF_RUNNING;
  return (request.ifr_flags & kCarries) == kCarries ? Link::up : Link::down;
}

std::size_t Port::receive_burst() {
  const std::size_t count = rte_eth_rx_burst(id_, 0, rx_.data(), kBurst);
  traffic_.rx_frames += count;
  return count;
}

Bytes Port::received(std::size_t i) const {
  const rte_mbuf* m = rx_[i];
  // One buffer holds any frame of ours; of a longer one, which is not ours, the first part is
  // enough.
  return {rte_pktmbuf_mtod(m, const std::uint8_t*), rte_pktmbuf_data_len(m)};
}

void Port::release_burst(std::size_t count) {
  rte_pktmbuf_free_bulk(rx_.data(), static_cast<unsigned>(count));
}

MutableBytes Port::begin_frame() {
  HOTPAIR_ASSERT(open_ == nullptr);
  if (tx_count_ == kBurst) flush();
  open_ = rte_pktmbuf_alloc(pool_);
  if (open_ == nullptr) {
    ++counters_.tx_no_buffer;
    return {};
  }
  return {rte_pktmbuf_mtod(open_, std::uint8_t*), max_frame_};
}

void Port::commit(std::size_t size) {
  HOTPAIR_ASSERT(open_ != nullptr && size <= max_frame_);
  rte_mbuf* frame = std::exchange(open_, nullptr);
  if (size == 0) return rte_pktmbuf_free(frame);
  (void)rte_pktmbuf_append(frame, static_cast<std::uint16_t>(size));
  tx_[tx_count_++] = frame;
  counters_.tx_bytes += size;
}

void Port::flush() {
  if (tx_count_ == 0) return;
  const std::size_t sent =
      rte_eth_tx_burst(id_, 0, tx_.data(), static_cast<std::uint16_t>(tx_count_));
  counters_.tx_frames += sent;
  traffic_.tx_frames += sent;
  counters_.tx_dropped += tx_count_ - sent;
  if (sent > 0)
    stuck_since_.reset();
  else if (!stuck_since_)
    stuck_since_ = sys::now();
  for (std::size_t i = sent; i < tx_count_; ++i) rte_pktmbuf_free(tx_[i]);
  tx_count_ = 0;
}

}  // namespace hotpair::dpdk
