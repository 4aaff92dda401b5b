#include "platform/linux/event_loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <map>
#include <mutex>
#include <unordered_map>

#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr int kEventsATurn = 64;
// A due deadline waits for at most this many further looks at the descriptors: frames that wait are
// read first, and a flood of them cannot hold the deadline up for ever.
constexpr int kRoundsBeforeDeadline = 8;

struct Registration {
  // Shared, so that a callback may remove its own registration while it runs.
  std::shared_ptr<EventLoop::Callback> callback;
  std::uint64_t generation = 0;
};

constexpr Duration kLongestWait = std::chrono::hours(1);

// Parts of a millisecond count, without a timer that is set and read for each wait. A kernel before
// 5.11, or a system call filter that is older, has only whole ones; those are rounded up.
int wait_exactly(int epoll, epoll_event* events, std::optional<Duration> timeout) {
  timespec time{};
  if (timeout) {
    const std::int64_t ns = std::clamp<Duration>(*timeout, Duration{}, kLongestWait).count();
    time.tv_sec = ns / 1'000'000'000;
    time.tv_nsec = ns % 1'000'000'000;
  }
  const int ready = epoll_pwait2(epoll, events, kEventsATurn, timeout ? &time : nullptr, nullptr);
  if (ready >= 0 || (errno != ENOSYS && errno != EPERM)) return ready;
  const std::int64_t ms = time.tv_sec * 1000 + (time.tv_nsec + 999'999) / 1'000'000;
  return epoll_wait(epoll, events, kEventsATurn, timeout ? static_cast<int>(ms) : -1);
}

}  // namespace

struct EventLoop::State {
  FileDescriptor epoll, timer, wakeup, signals;
  std::unordered_map<int, Registration> registrations;
  std::uint64_t last_generation = 0;
  std::function<void()> deadline_callback, tick;
  std::optional<Instant> deadline, wake_by, armed;
  std::map<std::pair<Instant, TimerId>, std::function<void()>> timers;
  std::unordered_map<TimerId, Instant> timer_times;
  TimerId last_timer = 0;
  std::mutex posted_mutex;
  std::vector<std::function<void()>> posted;
  bool stopped = false;

  Status watch(int fd, std::uint32_t events, int operation);
  int wait(std::optional<Duration> timeout);
  bool handle(int ready);
  void run_posted();
  void run_due(Instant at);
  std::optional<Instant> next_due() const;
  void arm();

  std::array<epoll_event, kEventsATurn> events{};
  std::array<std::uint64_t, kEventsATurn> generations{};
};

Status EventLoop::State::watch(int fd, std::uint32_t wanted, int operation) {
  epoll_event event{};
  event.events = wanted;
  event.data.fd = fd;
  if (epoll_ctl(epoll.get(), operation, fd, &event) != 0)
    return fail_errno("cannot watch descriptor " + std::to_string(fd), errno);
  return Ok{};
}

int EventLoop::State::wait(std::optional<Duration> timeout) {
  const int ready = wait_exactly(epoll.get(), events.data(), timeout);
  // Who was registered when the kernel spoke: a descriptor number may be reused within the turn.
  for (int i = 0; i < ready; ++i) {
    const auto slot = static_cast<std::size_t>(i);
    const int fd = events[slot].data.fd;  // a copy: the kernel's struct is packed
    auto found = registrations.find(fd);
    generations[slot] = found == registrations.end() ? 0 : found->second.generation;
  }
  return ready < 0 ? 0 : ready;
}

// True when a descriptor other than the timer was handled.
bool EventLoop::State::handle(int ready) {
  bool any = false;
  for (std::size_t i = 0; i < static_cast<std::size_t>(ready); ++i) {
    const int fd = events[i].data.fd;
    auto found = registrations.find(fd);
    if (found == registrations.end() || found->second.generation != generations[i]) continue;
    const auto callback = found->second.callback;
    (*callback)(events[i].events);
    any = any || fd != timer.get();
  }
  return any;
}

void EventLoop::State::run_posted() {
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(posted_mutex);
    work.swap(posted);
  }
  for (auto& each : work) each();
}

void EventLoop::State::run_due(Instant at) {
  // Timers made by these callbacks wait for the next turn: ids rise, so the newest now bounds the
  // run.
  const TimerId newest = last_timer;
  while (!timers.empty()) {
    auto first = timers.begin();
    if (first->first.first > at || first->first.second > newest) break;
    auto callback = std::move(first->second);
    timer_times.erase(first->first.second);
    timers.erase(first);
    callback();
  }
  if (deadline && *deadline <= at) {
    deadline.reset();
    if (deadline_callback) deadline_callback();
  }
}

std::optional<Instant> EventLoop::State::next_due() const {
  std::optional<Instant> next = deadline;
  if (!timers.empty() && (!next || timers.begin()->first.first < *next))
    next = timers.begin()->first.first;
  return next;
}

void EventLoop::State::arm() {
  std::optional<Instant> next = next_due();
  if (wake_by && (!next || *wake_by < *next)) next = wake_by;
  if (next == armed) return;
  itimerspec spec{};
  if (next) {
    // A zero time would disarm the timer; what is past fires at once.
    const std::int64_t ns = std::max<std::int64_t>(next->time_since_epoch().count(), 1);
    spec.it_value.tv_sec = ns / 1'000'000'000;
    spec.it_value.tv_nsec = ns % 1'000'000'000;
  }
  timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  armed = next;
}

EventLoop::EventLoop(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventLoop::~EventLoop() = default;

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  auto state = std::make_unique<State>();
  state->epoll.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!state->epoll) return fail_errno("cannot create an event loop", errno);
  state->timer.reset(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!state->timer) return fail_errno("cannot create a timer", errno);
  state->wakeup.reset(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!state->wakeup) return fail_errno("cannot create an event descriptor", errno);
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(state)));
  State* s = loop->state_.get();
  auto timer_callback = [s](std::uint32_t) {
    std::uint64_t expirations = 0;
    if (read(s->timer.get(), &expirations, sizeof(expirations)) > 0) s->armed.reset();
  };
  if (Status added = loop->add(s->timer.get(), EPOLLIN, timer_callback); !added)
    return fail(added.error());
  auto wakeup_callback = [s](std::uint32_t) {
    std::uint64_t count = 0;
    (void)!read(s->wakeup.get(), &count, sizeof(count));
    s->run_posted();
  };
  if (Status added = loop->add(s->wakeup.get(), EPOLLIN, wakeup_callback); !added)
    return fail(added.error());
  return loop;
}

Status EventLoop::add(int fd, std::uint32_t events, Callback callback) {
  Status watched = state_->watch(fd, events, EPOLL_CTL_ADD);
  if (watched)
    state_->registrations[fd] = {std::make_shared<Callback>(std::move(callback)),
                                 ++state_->last_generation};
  return watched;
}

Status EventLoop::modify(int fd, std::uint32_t events) {
  return state_->watch(fd, events, EPOLL_CTL_MOD);
}

void EventLoop::remove(int fd) {
  if (state_->registrations.erase(fd) > 0)
    epoll_ctl(state_->epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::on_deadline(std::function<void()> callback) {
  state_->deadline_callback = std::move(callback);
}

void EventLoop::set_deadline(std::optional<Instant> at) {
  state_->deadline = at;
}

void EventLoop::wake_by(Instant at) {
  state_->wake_by = at;
}

TimerId EventLoop::call_at(Instant at, std::function<void()> callback) {
  const TimerId id = ++state_->last_timer;
  state_->timers.emplace(std::pair(at, id), std::move(callback));
  state_->timer_times.emplace(id, at);
  return id;
}

void EventLoop::cancel(TimerId timer) {
  auto found = state_->timer_times.find(timer);
  if (found == state_->timer_times.end()) return;
  state_->timers.erase(std::pair(found->second, timer));
  state_->timer_times.erase(found);
}

Status EventLoop::on_signals(const std::vector<int>& signals, std::function<void(int)> callback) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals) sigaddset(&set, signal);
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0)
    return fail_errno("cannot block signals", error);
  FileDescriptor fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return fail_errno("cannot receive signals", errno);
  if (state_->signals) remove(state_->signals.get());
  const int raw = fd.get();
  state_->signals = std::move(fd);
  return add(raw, EPOLLIN, [raw, callback = std::move(callback)](std::uint32_t) {
    signalfd_siginfo info{};
    if (read(raw, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info)))
      callback(static_cast<int>(info.ssi_signo));
  });
}

void EventLoop::on_tick(std::function<void()> callback) {
  state_->tick = std::move(callback);
}

void EventLoop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(state_->posted_mutex);
    state_->posted.push_back(std::move(work));
  }
  const std::uint64_t one = 1;
  (void)!write(state_->wakeup.get(), &one, sizeof(one));
}

void EventLoop::run() {
  while (run_once(std::nullopt)) {
  }
}

void EventLoop::stop() {
  state_->stopped = true;
}

bool EventLoop::run_once(std::optional<Duration> timeout) {
  State& s = *state_;
  if (s.stopped) return false;
  s.arm();
  int ready = s.wait(timeout);
  s.wake_by.reset();
  if (s.tick) s.tick();
  s.handle(ready);
  const std::optional<Instant> next = s.next_due();
  if (!next || *next > now()) return !s.stopped;
  for (int round = 0; round < kRoundsBeforeDeadline; ++round) {
    ready = s.wait(Duration{});
    if (!s.handle(ready)) break;
  }
  s.run_due(now());
  return !s.stopped;
}

}  // namespace hotpair::sys
