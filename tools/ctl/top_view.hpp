// One frame of `hotpair top`. Pure: what two looks at the daemons said, and the size of the
// terminal, in; lines out.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "platform/base/time.hpp"
#include "tools/ctl/style.hpp"

namespace hotpair::ctl {

struct Look {
  nlohmann::json agent, dataplane, history;  // null: no answer
  std::string trouble;                       // why the agent gave none
  Instant at{};
};

struct Screen {
  std::size_t columns = 80, rows = 24;
};

// `before`: the look before, for the rates; what began anew between the two has none. At most
// `screen.rows` lines of `screen.columns` places.
std::vector<std::string> top_frame(const Style& style, const Look& before, const Look& now,
                                   const Screen& screen);

// The first `columns` places of a line that may carry colours, which are ended where it is cut.
std::string cut_to(const std::string& line, std::size_t columns);

}  // namespace hotpair::ctl
