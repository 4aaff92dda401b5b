#include "dataplane/dpdk/xdp_buffers.hpp"

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

namespace hotpair::dpdk {

namespace {

constexpr std::size_t kPage = xdp_buffer_bytes(1);
// Nothing between two buffers: neither to spread them over memory channels, nor at a page's end.
constexpr unsigned kFlags = RTE_MEMPOOL_F_NO_SPREAD | RTE_MEMPOOL_F_NO_IOVA_CONTIG;

void free_memory(rte_mempool_memhdr*, void* memory) {
  rte_free(memory);
}

// Buffers of one page each, without memory yet.
rte_mempool* empty_pool(const std::string& name, unsigned count, unsigned cache, int node) {
  const std::uint32_t least = rte_mempool_calc_obj_size(sizeof(rte_mbuf), kFlags, nullptr);
  const auto room = static_cast<std::uint16_t>(kPage - least);
  rte_mempool* pool = rte_mempool_create_empty(name.c_str(), count, sizeof(rte_mbuf) + room, cache,
                                               sizeof(rte_pktmbuf_pool_private), node, kFlags);
  if (pool == nullptr) return nullptr;
  rte_pktmbuf_pool_private layout{};
  layout.mbuf_data_room_size = room;
  if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), nullptr) == 0) {
    rte_pktmbuf_pool_init(pool, &layout);
    return pool;
  }
  rte_mempool_free(pool);
  return nullptr;
}

}  // namespace

rte_mempool* make_xdp_buffers(const std::string& name, unsigned count, unsigned cache, int node) {
  rte_mempool* pool = empty_pool(name, count, cache, node);
  if (pool == nullptr) return nullptr;
  const std::size_t bytes = xdp_buffer_bytes(count);
  void* memory = rte_malloc_socket(name.c_str(), bytes, kPage, node);
  if (memory == nullptr) {
    rte_mempool_free(pool);
    rte_errno = ENOMEM;
    return nullptr;
  }
  const int made = rte_mempool_populate_iova(pool, static_cast<char*>(memory), RTE_BAD_IOVA, bytes,
                                             free_memory, memory);
  if (made == static_cast<int>(count)) {
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
    return pool;
  }
  if (made < 0) rte_free(memory);  // the pool has not taken it
  rte_mempool_free(pool);
  rte_errno = made < 0 ? -made : ENOMEM;
  return nullptr;
}

}  // namespace hotpair::dpdk
