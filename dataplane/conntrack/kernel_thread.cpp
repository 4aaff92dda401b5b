#include "dataplane/conntrack/kernel_thread.hpp"

#include <array>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>

#include "platform/base/assert.hpp"
#include "platform/linux/scheduling.hpp"

namespace hotpair::conntrack {

KernelThread::KernelThread(const std::string& name, Work work, std::optional<unsigned> cpu,
                           Status& on_its_cpu)
    : work_(std::move(work)), bell_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  HOTPAIR_ASSERT(bell_);
  thread_ = std::thread([this, name] {
    sys::set_thread_name(name);
    serve();
  });
  if (cpu) run([&] { on_its_cpu = sys::run_on_cpu(*cpu); });
}

KernelThread::~KernelThread() {
  ending_ = true;
  wake();
  thread_.join();
}

// An exchange at both ends: whichever comes second reads what the first wrote, so either the
// thread sees what there is to do, or it is seen to be asleep.
void KernelThread::wake() {
  if (asleep_.exchange(false)) ::eventfd_write(bell_.get(), 1);
}

void KernelThread::run(const std::function<void()>& job) {
  job_ = &job;
  wake();
  job_.wait(&job);
}

void KernelThread::serve() {
  while (!ending_) {
    if (look()) continue;
    // What was put there while it looked is found by another look.
    asleep_.exchange(true);
    if (!look() && !ending_) sleep();
    asleep_.exchange(false);
  }
}

bool KernelThread::look() {
  const std::function<void()>* const job = job_;
  if (job != nullptr) {
    (*job)();
    job_ = nullptr;
    job_.notify_one();
  }
  return work_.turn() || job != nullptr;
}

void KernelThread::sleep() {
  const Awaited awaited = work_.awaited();
  std::array<pollfd, 2> polled{{{bell_.get(), POLLIN, 0}, {awaited.fd, POLLIN, 0}}};
  const std::int64_t ns = awaited.at_most.value_or(Duration{}).count();
  const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
  (void)::ppoll(polled.data(), polled.size(), awaited.at_most ? &timeout : nullptr, nullptr);
  if (eventfd_t times = 0; polled[0].revents != 0) (void)::eventfd_read(bell_.get(), &times);
}

}  // namespace hotpair::conntrack
