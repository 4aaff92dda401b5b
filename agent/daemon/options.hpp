// What the command line says.
#pragma once

#include <cstdint>
#include <string>

#include "agent/core/protocol.hpp"
#include "platform/base/log.hpp"

namespace hotpair::daemon {

struct Options {
  std::string config_dir = "/etc/hotpair";
  std::string run_dir = "/run/hotpair";
  std::string state_dir = "/var/lib/hotpair";
  LogLevel log_level = LogLevel::info;
  std::uint64_t recording_mib = 64;  // of decisions for hotpair-replay; 0: none
  agent::ProtocolRange protocol = agent::kSpokenProtocol;
};

}  // namespace hotpair::daemon
