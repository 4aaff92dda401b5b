// The same measurement of hotpair and, when asked for, of what it is compared with: a row for each
// in a table for people, all figures for machines.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/bench/kernel/surroundings.hpp"

namespace hotpair::bench::kernel {

struct Rivals {
  const char* command;   // "hotpair-bench COMMAND", as errors begin
  std::string compare;   // empty: hotpair alone
  std::string json;      // as for write_report()
  std::string headings;  // of the table, whole lines
};

// measure(name) yields a Result; print(name, outcome) and to_json(outcome) tell of it. Returns the
// exit status: 0 when all was measured and written and complete(hotpair's outcome) holds.
template <typename Measure, typename Print, typename ToJson, typename Complete>
int measure_rivals(const Rivals& rivals, Measure&& measure, Print&& print, ToJson&& to_json,
                   Complete&& complete) {
  std::vector<std::string> names = {"hotpair"};
  if (!rivals.compare.empty()) names.push_back(rivals.compare);
  const bool for_people = rivals.json != "-";
  nlohmann::json report;
  bool good = true;
  if (for_people) std::fputs(rivals.headings.c_str(), stdout);
  for (const std::string& name : names) {
    const auto outcome = measure(name);
    if (!outcome.ok()) {
      std::fprintf(stderr, "%s: %s: %s\n", rivals.command, name.c_str(),
                   outcome.error().message.c_str());
      return 1;
    }
    if (for_people) print(name, *outcome);
    report[name] = to_json(*outcome);
    if (name == "hotpair") good = complete(*outcome);
  }
  return write_report(rivals.json, report.dump(1)) && good ? 0 : 1;
}

}  // namespace hotpair::bench::kernel
