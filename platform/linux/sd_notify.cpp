#include "platform/linux/sd_notify.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include <systemd/sd-daemon.h>

#include "platform/linux/clock.hpp"

namespace hotpair::sys {
namespace {

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

void notify_ready(const std::string& status) {
  sd_notify(0, ("READY=1\nSTATUS=" + one_line(status)).c_str());
}

void notify_status(const std::string& status) {
  sd_notify(0, ("STATUS=" + one_line(status)).c_str());
}

void notify_reloading() {
  // Type=notify-reload wants the monotonic time with it (sd_notify(3)).
  const auto at_us = to_us(now().time_since_epoch());
  sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(at_us)).c_str());
}

void notify_stopping() {
  sd_notify(0, "STOPPING=1");
}

void notify_watchdog() {
  sd_notify(0, "WATCHDOG=1");
}

void pause_before_restart() {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
  sigset_t endings;
  sigemptyset(&endings);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&endings, signal);
  (void)pthread_sigmask(SIG_BLOCK, &endings, nullptr);
  const timespec length{2, 0};
  (void)sigtimedwait(&endings, nullptr, &length);
}

std::optional<Duration> watchdog_interval() {
  std::uint64_t interval_us = 0;
  if (sd_watchdog_enabled(0, &interval_us) <= 0) return std::nullopt;
  return std::chrono::microseconds(interval_us);
}

}  // namespace hotpair::sys
