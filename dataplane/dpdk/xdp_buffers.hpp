// Packet buffers for af_xdp. That driver (DPDK 22.11, drivers/net/af_xdp) tells the kernel of one
// area, from the first buffer on, as long as all of them together, with nothing between them. A
// pool that DPDK lays out itself has gaps, for no buffer crosses a page there: on ordinary pages
// each takes one, and two fifths of them are outside the area. The kernel refuses what is in those:
// a frame to be sent is lost, a buffer to be filled too, and after some thousand frames nothing is
// received any more. So each buffer is one page here, in one piece of memory that begins with one.
#pragma once

#include <string>

#include <rte_mempool.h>

namespace hotpair::dpdk {

// Null, with rte_errno, where there is no memory. Freed by rte_mempool_free().
rte_mempool* make_xdp_buffers(const std::string& name, unsigned count, unsigned cache, int node);

// Of all of them.
constexpr std::size_t xdp_buffer_bytes(unsigned count) {
  return std::size_t{count} * 4096;
}

}  // namespace hotpair::dpdk
