// The service manager's notification protocol (sd_notify(3)). Without $NOTIFY_SOCKET nothing
// happens.
#pragma once

#include <optional>
#include <string>

#include "platform/base/time.hpp"

namespace hotpair::sys {

void notify_ready(const std::string& status);
void notify_status(const std::string& status);  // one line, shown by systemctl status
void notify_reloading();                        // followed by notify_ready when it is over
void notify_stopping();
void notify_watchdog();  // "I am alive"

// For a program that cannot start: waits two seconds where a service manager would start it again
// at once, or until it is told to end. The pace of restarts until what is missing is there; a
// program that worked and ended is not held up by it.
void pause_before_restart();

// How often the service manager wants notify_watchdog at the latest; none: it does not.
std::optional<Duration> watchdog_interval();

}  // namespace hotpair::sys
