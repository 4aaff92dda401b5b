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

// How often the service manager wants notify_watchdog at the latest; none: it does not.
std::optional<Duration> watchdog_interval();

}  // namespace hotpair::sys
