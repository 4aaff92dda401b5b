#include "dataplane/dpdk/leftovers.hpp"

#include <algorithm>
#include <cstring>

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace hotpair::dpdk {

namespace {

constexpr int kRecordsASlice = 256;
// Nobody waits for it: about a tenth of the CPU.
constexpr Duration kRest = 2ms;

template <typename Visit>
void for_each_local_address(Visit visit) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    dataplane::Address address;
    const void* generic = at->ifa_addr;
    if (at->ifa_addr->sa_family == AF_INET) {
      std::memcpy(address.bytes.data(), &static_cast<const sockaddr_in*>(generic)->sin_addr, 4);
      visit(false, address);
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      std::memcpy(address.bytes.data(), &static_cast<const sockaddr_in6*>(generic)->sin6_addr, 16);
      visit(true, address);
    }
  }
  freeifaddrs(list);
}

}  // namespace

void Leftovers::work(bool in_sync, Instant now) {
  switch (stage_) {
    case Stage::done:
      return;
    case Stage::waiting:
      if (!in_sync || engine_.renewal() == dataplane::Renewal::rewrite) return;
      if (!source_.start_dump().ok()) return;
      local_.clear();
      for_each_local_address([this](bool ipv6, const dataplane::Address& address) {
        local_.push_back({ipv6, address});
      });
      removed_before_ = removed_;
      stage_ = Stage::looking;
      next_slice_ = now;
      return;
    case Stage::looking:
      if (now < next_slice_) return;
      next_slice_ = now + kRest;
      source_.poll_dump(*this, kRecordsASlice);
      sink_.flush();
      return;
  }
}

std::optional<Instant> Leftovers::next_deadline() const {
  if (stage_ != Stage::looking) return std::nullopt;
  return next_slice_;
}

void Leftovers::end_term() {
  if (stage_ == Stage::looking) source_.stop_dump();
  stage_ = Stage::done;
}

bool Leftovers::is_own(const dataplane::Session& session) const {
  const auto& from = session.key.original.src;
  const auto& answers = session.state.reply.src;
  return std::any_of(local_.begin(), local_.end(), [&](const LocalAddress& local) {
    return local.ipv6 == session.key.ipv6 && (local.address == from || local.address == answers);
  });
}

void Leftovers::on_dump_entry(const dataplane::Session& session) {
  if (dataplane::judge(pickup_, session) != dataplane::Pickup::carry || is_own(session) ||
      engine_.find(session.key))
    return;
  ++removed_;
  sink_.remove(session.key);
}

void Leftovers::on_dump_done(bool complete) {
  stage_ = complete ? Stage::done : Stage::waiting;
  const std::uint64_t count = removed_ - removed_before_;
  if (count > 0)
    log_.notice(
        "leftovers",
        "removed sessions from the kernel that ended on the primary while this node did not listen",
        {{"sessions", count}});
}

}  // namespace hotpair::dpdk
