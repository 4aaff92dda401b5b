// What can be said of the two files and the password without a running daemon.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "platform/config/config.hpp"
#include "tools/ctl/doctor/report.hpp"

namespace hotpair::ctl {

// Reads the configuration and the password; every mistake becomes a finding. None: it cannot be
// used. A running agent may have its password from systemd, with no file to look at.
std::optional<config::Config> check_files(const std::string& config_dir, bool agent_runs,
                                          Report& report);

// Pure: a good configuration that is still not what one wants.
void check_configuration(const config::Config& config, Report& report);
// Pure: `status` is the running agent's answer; what runs may be older than the files.
void check_in_force(const config::Config& config, const nlohmann::json& status, Report& report);

}  // namespace hotpair::ctl
