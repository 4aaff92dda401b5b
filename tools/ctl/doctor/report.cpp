#include "tools/ctl/doctor/report.hpp"

#include <algorithm>

namespace hotpair::ctl {

Group group_of(const std::string& id) {
  if (id.starts_with("pair.")) return Group::pair;
  return id.starts_with("box.") ? Group::box : Group::configuration;
}

const char* title(Group group) {
  switch (group) {
    case Group::pair:
      return "Pair";
    case Group::box:
      return "Box";
    case Group::configuration:
      return "Configuration";
  }
  return "";
}

void Report::add(Finding finding) {
  ++checks_[static_cast<std::size_t>(group_of(finding.id))];
  findings_.push_back(std::move(finding));
}

void Report::well(const char* id) {
  ++checks_[static_cast<std::size_t>(group_of(id))];
}

std::size_t Report::count(Severity severity) const {
  return static_cast<std::size_t>(
      std::count_if(findings_.begin(), findings_.end(),
                    [&](const Finding& f) { return f.severity == severity; }));
}

}  // namespace hotpair::ctl
