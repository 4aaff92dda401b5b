// keepalived.conf and conntrackd.conf read as one pair's cluster.yaml. What has no counterpart, or
// one that is not in cluster.yaml, is a note with file and line; nothing is passed over in silence.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/ctl/migrate/blocks.hpp"

namespace hotpair::ctl::migrate {

struct Note {
  std::string file;
  int line = 0;
  std::string what;  // the words of the file
  std::string why;   // what became of them, and what to do

  std::string text() const;  // "keepalived.conf:12: advert_int 1: ..."
};

struct Check {
  int line = 0;
  std::string name;
  std::vector<std::string> command;
  std::map<std::string, std::string> timing;  // interval, timeout, rise, fall as YAML
};

// What was gathered of cluster.yaml; empty members are not written.
struct Draft {
  std::optional<int> group_id;
  std::string group_name;
  bool override_ = false, nopreempt = false;
  std::string hold;
  std::optional<int> garp_count;
  std::string garp_interval;
  std::map<std::string, std::vector<std::string>> addresses;  // by interface
  std::map<std::string, bool> virtual_mac;
  std::vector<std::string> tracked;  // interfaces beyond the redundant ones
  std::vector<Check> checks;
  std::map<std::string, std::vector<std::vector<std::string>>> hooks;  // primary, backup, fault
  std::map<std::string, bool> protocols;                               // udp, icmp, sctp
  bool only_assured = false;
  std::optional<bool> expectations;
  std::vector<std::string> excluded;
  std::vector<Note> notes;
};

void read_keepalived(const Block& file, const std::string& name, Draft& draft);
void read_conntrackd(const Block& file, const std::string& name, Draft& draft);

std::string cluster_yaml(const Draft& draft);

}  // namespace hotpair::ctl::migrate
