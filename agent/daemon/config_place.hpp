// Puts one file, link or directory in its place whole: written beside it, made durable, renamed.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/config_sync.hpp"
#include "platform/base/result.hpp"

namespace hotpair::daemon {

// A name beside `path`, with kBesideMark and `what` in it, that is not too long.
std::string beside(const std::string& path, std::string_view what);
// Parents that are missing are made (0755, ours); one that is a link is refused.
Status place_config(const std::string& path, const agent::ConfigEntry& entry,
                    std::string_view content);
// Of a directory only when it is empty; of nothing: nothing happens.
Status remove_config(const std::string& path);
// Writes a file of ours, durable.
Status write_durable(const std::string& path, std::string_view content);
Status make_directories(const std::string& path);
void remove_tree(const std::string& path);

}  // namespace hotpair::daemon
