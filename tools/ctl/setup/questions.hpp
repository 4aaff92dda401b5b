// The questions that `hotpair setup` asks for what no flag said.
#pragma once

#include <istream>
#include <ostream>

#include "tools/ctl/setup/plan.hpp"

namespace hotpair::ctl::setup {

// Asks for what is missing in `answers`; false when the input ended before the last answer.
bool ask_for_missing(Answers& answers, std::istream& in, std::ostream& out);

// The flags that would answer what is missing; empty when nothing is.
std::string missing_flags(const Answers& answers);

}  // namespace hotpair::ctl::setup
