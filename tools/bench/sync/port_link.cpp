#include "tools/bench/sync/port_link.hpp"

namespace hotpair::bench::sync {

Result<std::unique_ptr<PortLink>> PortLink::open(const std::string& device) {
  auto link = std::make_unique<PortLink>();
  auto port = dpdk::Port::open(device, link->counters_);
  if (!port.ok()) return fail(port.error());
  link->port_ = std::move(*port);
  link->copies_.assign(dpdk::Port::kBurst, std::vector<std::uint8_t>(link->max_frame()));
  return link;
}

std::span<const Bytes> PortLink::receive() {
  burst_.clear();
  port_->receive([this](Bytes frame) {
    std::vector<std::uint8_t>& copy = copies_[burst_.size()];
    if (frame.size() > copy.size()) return;
    std::copy(frame.begin(), frame.end(), copy.begin());
    burst_.push_back(Bytes(copy).first(frame.size()));
  });
  return burst_;
}

}  // namespace hotpair::bench::sync
