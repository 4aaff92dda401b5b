// How frames get from one end to the other: a ring between two threads, or a DPDK port. Each end
// has its own; one thread.
#pragma once

#include <cstddef>
#include <span>

#include "platform/base/bytes.hpp"

namespace hotpair::bench::sync {

class FrameLink {
 public:
  virtual ~FrameLink() = default;

  virtual std::size_t max_frame() const = 0;
  // Room for one frame; empty when there is none now. commit() follows (0: not used after all).
  virtual MutableBytes begin_frame() = 0;
  virtual void commit(std::size_t size) = 0;
  virtual void flush() {}
  // A burst of frames, valid until release().
  virtual std::span<const Bytes> receive() = 0;
  virtual void release() = 0;
};

}  // namespace hotpair::bench::sync
