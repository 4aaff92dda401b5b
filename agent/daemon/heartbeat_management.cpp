#include "agent/daemon/heartbeat_management.hpp"

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

constexpr Duration kRetry = 1s;
constexpr std::size_t kDatagramsATurn = 64;

}  // namespace

HeartbeatManagement::HeartbeatManagement(Needs needs, const sys::UdpOptions& options)
    : needs_(std::move(needs)), options_(options) {
  try_open();
}

HeartbeatManagement::~HeartbeatManagement() {
  needs_.loop.cancel(retry_);
  needs_.sender.set_management(nullptr);
  if (channel_) needs_.loop.remove(channel_->fd());
}

void HeartbeatManagement::try_open() {
  retry_ = 0;
  auto opened = sys::UdpChannel::open(options_);
  if (!opened) {
    if (!std::exchange(said_, true))
      needs_.log.warning("management-path-failed", opened.error().message);
    retry_ = needs_.loop.call_at(sys::now() + kRetry, [this] { try_open(); });
    return;
  }
  said_ = false;
  channel_ = std::move(opened).value();
  (void)needs_.loop.add(channel_->fd(), EPOLLIN, [this](auto) {
    channel_->receive([this](Bytes frame, Instant heard_at) { needs_.heard(heard_at, frame); },
                      kDatagramsATurn);
  });
  needs_.sender.set_management(channel_);
}

}  // namespace hotpair::daemon
