// An upgrade as people see it while it goes on, and as programs do: one line of JSON a step.
#pragma once

#include <string>

#include "tools/ctl/style.hpp"
#include "tools/ctl/upgrade/upgrade.hpp"

namespace hotpair::ctl::upgrade {

class Show {
 public:
  // `live`: the standard output is a terminal, on which a line may be written again.
  Show(Style style, bool json, bool live, std::string state_dir)
      : style_(style), json_(json), live_(live), state_dir_(std::move(state_dir)) {}

  void plan(const Run& run, const std::string& refused) const;  // --dry-run
  void begins(const Run& run) const;
  void step(const Upgrade& upgrade, std::size_t index);
  void progress(const Upgrade& upgrade);  // of the present step, on a terminal
  void end(const Upgrade& upgrade, Outcome outcome, const std::string& standing);
  void status(const Run& run, bool driven) const;

 private:
  void stopped(const Upgrade& upgrade, const std::string& standing);
  std::string line(const Run& run, std::size_t index) const;

  Style style_;
  bool json_, live_;
  std::string state_dir_;
};

}  // namespace hotpair::ctl::upgrade
