// What every key of the two files is, for manuals and for `hotpair keys`. Type and range come from
// the schema itself; default and meaning from keys.def, which a test holds to the schema.
#pragma once

#include <string>
#include <vector>

namespace hotpair::config {

struct ManualEntry {
  std::string path;  // "heartbeat.interval"; a list's items have no place in it, '*' is a free key
  bool required = false;
  std::string allowed;   // type and range, in the words of the messages
  std::string standard;  // what is so when it is not given, as YAML; empty: nothing
  std::string meaning;   // a sentence; empty: keys.def lacks the key
};

// In the order of the schema.
std::vector<ManualEntry> node_manual();
std::vector<ManualEntry> cluster_manual();

// Paths in keys.def that no schema knows.
std::vector<std::string> strays_of_manual();

}  // namespace hotpair::config
