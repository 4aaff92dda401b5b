#include "dataplane/dpdk/kernel_writer.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "platform/linux/system_error.hpp"

namespace hotpair::dpdk {

namespace {

constexpr std::size_t kRenewalsASlice = 128;
constexpr std::size_t kRepeatsASlice = 64;
constexpr std::size_t kMaxRefused = 1 << 16;
constexpr Duration kRepeatEvery = 1s;

}  // namespace

KernelWriter::KernelWriter(conntrack::Sink& sink, Counters& counters, Log log)
    : sink_(sink), counters_(counters), log_(std::move(log)) {
  sink_.on_missing([this](const dataplane::SessionKey& key) { missing_.push_back(key); });
  sink_.on_helper_missing([this](std::string_view helper) {
    log_.warning("conntrack-helper",
                 "sessions are kept without their helper, which this kernel lacks; load its module "
                 "('modprobe nf_conntrack_" +
                     std::string(helper) + "') and restart hotpair-dataplane",
                 {{"helper", std::string(helper)}});
  });
  sink_.on_refused([this](const dataplane::SessionKey& key, int error) {
    ++counters_.kernel_refused;
    log_.warning("conntrack-refused",
                 "the kernel takes no copy of a session (" + sys::errno_text(error) +
                     "); compare nf_conntrack_count with nf_conntrack_max on both nodes");
    if (refused_.size() < kMaxRefused)
      refused_.push_back(key);
    else
      overflow_ = true;
  });
}

void KernelWriter::on_upsert(const dataplane::SessionView& session, bool is_new) {
  sink_.upsert(dataplane::expanded(session), kHoldSeconds, is_new);
}

void KernelWriter::on_remove(const dataplane::SessionKey& key) {
  sink_.remove(key);
}

void KernelWriter::on_merge(const dataplane::Session& session) {
  sink_.insert(session, std::max<std::uint32_t>(1, session.state.timeout_s));
}

void KernelWriter::flush() {
  sink_.flush();
}

bool KernelWriter::work(Instant now) {
  const bool backup = engine_->role() == dataplane::Role::backup;
  const std::size_t renewed = engine_->refresh(
      now, kRenewalsASlice, [&](const dataplane::Session& session) { renew(session); });
  if (renewed > 0) sink_.flush();
  if (!backup) {
    // What is gone from the primary's kernel has ended; its event says so.
    missing_.clear();
    return renewed > 0;
  }
  for (const dataplane::SessionKey& key : missing_) {
    const std::optional<dataplane::Session> session = engine_->find(key);
    if (!session) continue;
    ++counters_.kernel_missing;
    sink_.upsert(*session, kHoldSeconds, true);
  }
  if (!missing_.empty()) sink_.flush();
  missing_.clear();
  if (std::exchange(overflow_, false))
    overflow_until_ = now + dataplane::Engine::kRefreshPeriod + kRepeatEvery;
  return repeat_failed(now) || renewed > 0;
}

void KernelWriter::renew(const dataplane::Session& session) {
  switch (engine_->renewal()) {
    case dataplane::Renewal::hold:
      // What a helper expects has a timeout of its own.
      if (session.state.extras.has(dataplane::Extras::kExpectations))
        return sink_.upsert(session, kHoldSeconds, false);
      return sink_.refresh(session.key, kHoldSeconds);
    case dataplane::Renewal::rewrite:
      return sink_.upsert(session, kHoldSeconds, false);
    case dataplane::Renewal::hand_back:
      return sink_.hand_back(session, std::max<std::uint32_t>(1, session.state.timeout_s));
    case dataplane::Renewal::none:
      return;
  }
}

bool KernelWriter::repeat_failed(Instant now) {
  if (refused_.empty() || now < repeat_at_) return false;
  repeating_.clear();
  for (std::size_t i = 0; i < kRepeatsASlice && !refused_.empty(); ++i) {
    repeating_.push_back(refused_.front());
    refused_.pop_front();
  }
  const std::uint64_t failed_before = sink_.counters().failed;
  for (const dataplane::SessionKey& key : repeating_)
    if (const std::optional<dataplane::Session> session = engine_->find(key))
      sink_.upsert(*session, kHoldSeconds, true);
  sink_.flush();
  // While the kernel still refuses, it is not asked all the time.
  if (sink_.counters().failed != failed_before) repeat_at_ = now + kRepeatEvery;
  return true;
}

void KernelWriter::drop_repeats() {
  refused_.clear();
  missing_.clear();
  overflow_ = false;
  overflow_until_ = Instant{};
}

}  // namespace hotpair::dpdk
