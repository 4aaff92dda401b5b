// Marked experimental in DPDK's LTS, and the only way to hear of them (lib/eal/include/rte_dev.h).
#define ALLOW_EXPERIMENTAL_API

#include "dataplane/dpdk/device_requests.hpp"

#include <mutex>
#include <set>

#include <rte_dev.h>
#include <rte_errno.h>

namespace hotpair::dpdk {

namespace {

// Process-wide, as DPDK's devices are.
struct Requests {
  std::mutex mutex;
  std::set<std::string> names;
};
Requests& requests() {
  static Requests instance;
  return instance;
}

void note(const char* name, rte_dev_event_type event, void*) {
  if (event != RTE_DEV_EVENT_REMOVE || name == nullptr) return;
  const std::lock_guard hold(requests().mutex);
  requests().names.insert(name);
}

}  // namespace

Status listen_for_device_requests() {
  const int result = rte_dev_event_callback_register(nullptr, note, nullptr);
  if (result == 0) return Ok{};
  return fail_with(std::string("DPDK does not say when a device is to be unplugged (") +
                   rte_strerror(-result) + ")");
}

bool take_device_request(const std::string& name) {
  const std::lock_guard hold(requests().mutex);
  return requests().names.erase(name) > 0;
}

}  // namespace hotpair::dpdk
