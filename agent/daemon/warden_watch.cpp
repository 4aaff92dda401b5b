#include "agent/daemon/warden_watch.hpp"

#include <algorithm>
#include <utility>

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {

Instant WardenPace::next(Instant now) {
  const bool again = last_ && now - *last_ < kWardenForgiven;
  pause_ = again ? std::clamp(2 * pause_, kFirstWardenPause, kLongestWardenPause) : Duration{};
  last_ = now + pause_;
  return *last_;
}

WardenWatch::WardenWatch(Needs needs) : needs_(std::move(needs)) {
  for (std::size_t slot = 0; slot < kWardens; ++slot) {
    auto started = needs_.warden.start_process();
    if (started)
      adopt(slot, std::move(started).value());
    else
      on_failure(slot, started.error());
  }
}

WardenWatch::~WardenWatch() {
  for (std::size_t slot = 0; slot < kWardens; ++slot) {
    needs_.loop.cancel(timers_[slot]);
    if (needs_.warden.process(slot).pidfd)
      needs_.loop.remove(needs_.warden.process(slot).pidfd.get());
  }
}

std::size_t WardenWatch::alive() const {
  std::size_t count = 0;
  for (std::size_t slot = 0; slot < kWardens; ++slot)
    if (needs_.warden.process(slot).pid != 0) ++count;
  return count;
}

void WardenWatch::adopt(std::size_t slot, Warden::Process process) {
  needs_.warden.adopt(slot, std::move(process));
  (void)needs_.loop.add(needs_.warden.process(slot).pidfd.get(), EPOLLIN,
                        [this, slot](auto) { on_dead(slot); });
}

void WardenWatch::on_dead(std::size_t slot) {
  const Warden::Process& process = needs_.warden.process(slot);
  needs_.loop.remove(process.pidfd.get());
  const int pid = process.pid;
  needs_.warden.forget(slot);
  needs_.log.error("warden-dead",
                   "a warden (pid " + std::to_string(pid) + ") is dead, " +
                       std::to_string(alive()) + " of " + std::to_string(kWardens) +
                       " are left; another is started",
                   {{"pid", pid}, {"left", alive()}});
  start_later(slot);
}

void WardenWatch::start_later(std::size_t slot) {
  timers_[slot] =
      needs_.loop.call_at(paces_[slot].next(sys::now()), [this, slot] { start_again(slot); });
}

void WardenWatch::start_again(std::size_t slot) {
  timers_[slot] = 0;
  needs_.disk.run(
      [&warden = std::as_const(needs_.warden)] {
        return std::make_shared<Result<Warden::Process>>(warden.start_process());
      },
      [this, slot](const auto& started) {
        if (!*started) return on_failure(slot, started->error());
        adopt(slot, std::move(*started).value());
        why_none_.clear();
        ++replaced_;
        const int pid = needs_.warden.process(slot).pid;
        needs_.log.notice("warden-replaced",
                          "a warden (pid " + std::to_string(pid) +
                              ") was started for one that died; " + std::to_string(alive()) +
                              " of " + std::to_string(kWardens) + " are there",
                          {{"pid", pid}, {"replaced", replaced_}});
      });
}

// Said once for one cause: it is tried again and again.
void WardenWatch::on_failure(std::size_t slot, const Error& error) {
  if (why_none_ != error.message) needs_.log.error("warden-failed", error.message);
  why_none_ = error.message;
  start_later(slot);
}

std::vector<std::string> WardenWatch::warnings() const {
  const std::size_t left = alive();
  if (left == kWardens) return {};
  const std::string why = why_none_.empty() ? "" : ": " + why_none_;
  if (left > 0)
    return {std::to_string(kWardens - left) + " of " + std::to_string(kWardens) +
            " wardens is missing; another is started" + why};
  return {
      "no warden is there, another is started: until then addresses would stay if hotpaird were "
      "killed" +
      why};
}

nlohmann::json WardenWatch::to_json() const {
  nlohmann::json pids = nlohmann::json::array();
  for (std::size_t slot = 0; slot < kWardens; ++slot)
    if (const int pid = needs_.warden.process(slot).pid; pid != 0) pids.push_back(pid);
  return {{"pids", pids}, {"replaced", replaced_}};
}

}  // namespace hotpair::daemon
