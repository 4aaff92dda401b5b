// What `hotpair doctor` found: each finding has a stable id, what was found, its likely cause and
// the command that mends it. What was looked at and is well is only counted.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace hotpair::ctl {

enum class Group : std::uint8_t { pair, box, configuration };
constexpr std::array kGroups{Group::pair, Group::box, Group::configuration};
enum class Severity : std::uint8_t { warning, problem };

struct Finding {
  std::string id;  // "box.conntrack-full"; the part before the dot is the group's
  Severity severity = Severity::problem;
  std::string found, cause, mend;
};

class Report {
 public:
  void add(Finding finding);
  void well(const char* id);  // looked at, nothing found

  const std::vector<Finding>& findings() const { return findings_; }
  std::size_t count(Severity severity) const;
  std::size_t checks(Group group) const { return checks_[static_cast<std::size_t>(group)]; }

 private:
  std::vector<Finding> findings_;
  std::array<std::size_t, kGroups.size()> checks_{};
};

Group group_of(const std::string& id);
const char* title(Group group);

}  // namespace hotpair::ctl
