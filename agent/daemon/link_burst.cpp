#include "agent/daemon/link_burst.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {

LinkBurst::~LinkBurst() {
  *self_ = nullptr;
  needs_.loop.cancel(timer_);
}

void LinkBurst::on_event(int ifindex) {
  const Instant now = sys::now();
  if (until_.size() >= kMostInABurst && until_.count(ifindex) == 0) return;
  until_[ifindex] = now + kBurstLength;
  if (timer_ == 0) timer_ = needs_.loop.call_at(now + kBurstStep, [this] { step(); });
}

void LinkBurst::step() {
  timer_ = 0;
  const Instant now = sys::now();
  std::erase_if(until_, [now](const auto& entry) { return entry.second <= now; });
  if (until_.empty()) return;
  timer_ = needs_.loop.call_at(now + kBurstStep, [this] { step(); });
  if (std::exchange(asking_, true)) return;  // the worker is busy, or waits for the kernel
  std::vector<Question> questions;
  std::vector<int> ifindexes;
  for (const auto& [ifindex, until] : until_) {
    questions.push_back({ifindex, needs_.monitor.events_of(ifindex)});
    ifindexes.push_back(ifindex);
  }
  needs_.worker.run([reader = reader_, ifindexes] { return reader->read(ifindexes); },
                    [self = self_, questions](const auto& links) {
                      if (*self != nullptr) (*self)->answered(questions, links);
                    });
}

void LinkBurst::answered(const std::vector<Question>& questions,
                         const std::vector<sys::LinkInfo>& links) {
  asking_ = false;
  bool news = false;
  for (const auto& link : links)
    for (const auto& question : questions)
      if (question.ifindex == link.ifindex)
        news = needs_.monitor.learn(link, question.events) || news;
  if (news) needs_.learnt();
}

}  // namespace hotpair::daemon
