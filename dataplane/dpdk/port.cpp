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

#include "dataplane/dpdk/port_device.hpp"
#include "platform/base/assert.hpp"

namespace hotpair::dpdk {

namespace {

constexpr std::uint16_t kDescriptors = 512;
// Both rings full, a burst in each hand, and the per-core cache: some 9 MB.
constexpr unsigned kBuffers = 2047;
constexpr unsigned kBufferCache = 64;
// Frames of the standard size pass whatever lies between the nodes.
constexpr std::size_t kStandardFrame = 1514;

Status refused(const char* step, int error) {
  return fail_with(std::string("the device refuses ") + step + " (" + rte_strerror(error) + ")");
}

// The ethdev of a device; probed now unless DPDK did so when it started.
Result<std::uint16_t> probe(const std::string& device) {
  if (Status ready = prepare_device(device); !ready.ok()) return fail(ready.error());
  const std::string name = device.substr(0, device.find(','));
  std::uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) return id;
  const int result = rte_dev_probe(device.c_str());
  if (result != 0 && result != -EEXIST) return fail_with(explain_refusal(device, -result));
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0)
    return fail_with(explain_refusal(device, ENODEV));
  return id;
}

}  // namespace

Result<std::unique_ptr<Port>> Port::open(const std::vector<std::string>& devices,
                                         Counters& counters, const Log& log) {
  std::string why;
  for (const std::string& device : devices) {
    auto id = probe(device);
    std::string problem;
    if (id.ok()) {
      std::unique_ptr<Port> port(new Port(*id, device, counters));
      Status started = port->start();
      if (started.ok()) return port;
      problem = started.error().message;
    } else {
      problem = id.error().message;
    }
    const std::string sentence = "session-sync device " + device + ": " + problem;
    log.warning("port-unusable", sentence, {{"device", device}});
    why += (why.empty() ? "" : " | ") + sentence;
  }
  return fail_with(why);
}

Port::Port(std::uint16_t id, std::string device, Counters& counters)
    : id_(id), device_(std::move(device)), counters_(counters) {}

Port::~Port() {
  if (open_ != nullptr) rte_pktmbuf_free(open_);
  for (std::size_t i = 0; i < tx_count_; ++i) rte_pktmbuf_free(tx_[i]);
  (void)rte_eth_dev_stop(id_);
  (void)rte_eth_dev_close(id_);
  rte_mempool_free(pool_);
}

Status Port::start() {
  pool_ =
      rte_pktmbuf_pool_create(("hotpair_" + std::to_string(id_)).c_str(), kBuffers, kBufferCache, 0,
                              RTE_MBUF_DEFAULT_BUF_SIZE, static_cast<int>(rte_socket_id()));
  if (pool_ == nullptr)
    return fail_with(std::string("no memory for packet buffers (") + rte_strerror(rte_errno) +
                     "); reserve more hugepages, or set session_sync.hugepages: false");
  rte_eth_conf conf{};
  if (int r = rte_eth_dev_configure(id_, 1, 1, &conf); r != 0)
    return refused("one queue each way", -r);
  std::uint16_t rx = kDescriptors, tx = kDescriptors;
  (void)rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx);
  const auto socket = static_cast<unsigned>(std::max(0, rte_eth_dev_socket_id(id_)));
  if (int r = rte_eth_rx_queue_setup(id_, 0, rx, socket, nullptr, pool_); r != 0)
    return refused("its receive queue", -r);
  if (int r = rte_eth_tx_queue_setup(id_, 0, tx, socket, nullptr); r != 0)
    return refused("its transmit queue", -r);
  if (int r = rte_eth_dev_start(id_); r != 0) return refused("to start", -r);
  // Multicast of the cluster's own group must come in; devices without the notion receive it
  // anyway.
  (void)rte_eth_promiscuous_enable(id_);
  (void)rte_eth_allmulticast_enable(id_);
  rte_ether_addr mac{};
  if (rte_eth_macaddr_get(id_, &mac) == 0) std::copy_n(mac.addr_bytes, mac_.size(), mac_.begin());
  std::uint16_t mtu = 1500;
  if (rte_eth_dev_get_mtu(id_, &mtu) == 0)
    max_frame_ = std::min<std::size_t>(kStandardFrame, mtu + kEthernetHeader);
  watch_kernel_interface();
  return Ok{};
}

void Port::watch_kernel_interface() {
  kernel_interface_ = kernel_interface_of(device_);
  if (kernel_interface_.empty()) return;
  kernel_index_ = if_nametoindex(kernel_interface_.c_str());
  wake_fd_ = packet_socket_of(kernel_index_);
  kernel_socket_.reset(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

Port::Link Port::link() const {
  if (kernel_interface_.empty()) {
    rte_eth_link state{};
    const bool known = rte_eth_link_get_nowait(id_, &state) == 0;
    return known && state.link_status ? Link::up : Link::down;
  }
  ifreq request{};
  std::strncpy(request.ifr_name, kernel_interface_.c_str(), IFNAMSIZ - 1);
  if (ioctl(kernel_socket_.get(), SIOCGIFINDEX, &request) != 0) return Link::down;
  if (static_cast<unsigned>(request.ifr_ifindex) != kernel_index_) return Link::replaced;
  if (ioctl(kernel_socket_.get(), SIOCGIFFLAGS, &request) != 0) return Link::down;
  constexpr int kCarries = IFF_UP | IFF_RUNNING;
  return (request.ifr_flags & kCarries) == kCarries ? Link::up : Link::down;
}

std::size_t Port::receive_burst() {
  return rte_eth_rx_burst(id_, 0, rx_.data(), kBurst);
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
  counters_.tx_dropped += tx_count_ - sent;
  for (std::size_t i = sent; i < tx_count_; ++i) rte_pktmbuf_free(tx_[i]);
  tx_count_ = 0;
}

}  // namespace hotpair::dpdk
