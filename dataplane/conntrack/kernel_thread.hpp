// A thread that speaks with the kernel for another one: it takes turns as long as there is
// something to do, else it sleeps until it is woken or a descriptor is readable.
//
// wake(), run() and the destructor are for one thread, the one that made it.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::conntrack {

class KernelThread {
 public:
  // What ends a sleep besides wake().
  struct Awaited {
    int fd = -1;  // readable; -1: nothing is
    std::optional<Duration> at_most;
  };
  struct Work {
    std::function<bool()> turn;  // bounded; true when more may wait
    std::function<Awaited()> awaited = [] { return Awaited{}; };
  };

  // On that CPU, or, with an error in `on_its_cpu`, where the system likes.
  KernelThread(const std::string& name, Work work, std::optional<unsigned> cpu, Status& on_its_cpu);
  ~KernelThread();  // after the turn that is running
  KernelThread(const KernelThread&) = delete;
  KernelThread& operator=(const KernelThread&) = delete;

  // There is something to do. What was written before is seen by the turn that follows.
  void wake();
  // Does `job` in the thread, between two turns, and returns once it is done.
  void run(const std::function<void()>& job);

 private:
  void serve();
  bool look();   // a job and a turn; true when there was one, or more may wait
  void sleep();  // until woken

  Work work_;
  sys::FileDescriptor bell_;
  std::atomic<bool> asleep_{false}, ending_{false};
  std::atomic<const std::function<void()>*> job_{nullptr};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace hotpair::conntrack
