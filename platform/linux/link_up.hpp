// Brings a network device up by name; one that is up already is left alone. Any thread.
// Source: netdevice(7), SIOCSIFFLAGS.
#pragma once

#include <string>

#include "platform/base/result.hpp"

namespace hotpair::sys {

Status bring_up(const std::string& device);

}  // namespace hotpair::sys
