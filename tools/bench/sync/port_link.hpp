// A DPDK device as a link.
#pragma once

#include <memory>
#include <vector>

#include "dataplane/dpdk/port.hpp"
#include "tools/bench/sync/frame_link.hpp"

namespace hotpair::bench::sync {

class PortLink final : public FrameLink {
 public:
  // DPDK's environment runs already.
  static Result<std::unique_ptr<PortLink>> open(const std::string& device);

  const dpdk::Mac& mac() const { return port_->mac(); }
  std::size_t max_frame() const override { return port_->max_frame(); }
  MutableBytes begin_frame() override { return port_->begin_frame(); }
  void commit(std::size_t size) override { port_->commit(size); }
  void flush() override { port_->flush(); }
  std::span<const Bytes> receive() override;
  void release() override {}

 private:
  dpdk::Counters counters_;
  std::unique_ptr<dpdk::Port> port_;
  std::vector<std::vector<std::uint8_t>> copies_;  // Port lends its frames only while it visits
  std::vector<Bytes> burst_;
};

}  // namespace hotpair::bench::sync
