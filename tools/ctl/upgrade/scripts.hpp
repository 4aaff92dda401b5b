// What an upgrade runs on a node, through sh: it needs nothing of hotpair there, which is just
// being exchanged. The same scripts serve this node and, through `hotpair peer exec`, the other
// one.
//
// Each says its outcome in one last line on standard error, "hotpair-upgrade: WORD ..."; without
// that line the node was not reached. What they keep is in <state-dir>/upgrade: `claim` (run and
// driver), and a folder a run with the command, its output and its end.
#pragma once

#include <string>
#include <vector>

#include "tools/ctl/upgrade/upgrade.hpp"

namespace hotpair::ctl::upgrade {

struct Work {
  std::vector<std::string> words;  // program and arguments; the two orders are `hotpair` itself
  std::string input;
};
Work work_of(const Task& task, const Run& run);

// What its end means, from what it printed.
TaskEnded outcome_of(const Task& task, const std::string& output, const std::string& errors);

}  // namespace hotpair::ctl::upgrade
