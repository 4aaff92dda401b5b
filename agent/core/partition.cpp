#include "agent/core/partition.hpp"

#include <algorithm>

#include "platform/base/words.hpp"

namespace hotpair::agent {
namespace {

const Partition* find(const std::vector<Partition>& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Partition& each) { return each.name == name; });
  return found == list.end() ? nullptr : &*found;
}

void add_lacking(const char* whose, const std::vector<Partition>& list,
                 std::vector<std::string>& alarms) {
  for (const Partition& each : list)
    if (const auto missing = lacks(each); !missing.empty())
      alarms.push_back(std::string(whose) + " lacks " + joined(missing) + " of logical system " +
                       each.name);
}

std::string zone_text(std::uint16_t zone) {
  return zone == 0 ? "no zone" : "zone " + std::to_string(zone);
}

// Presence and links aside: what the configuration says.
void add_differences(const Partition& own, const Partition& peer,
                     std::vector<std::string>& alarms) {
  const std::string begin = "logical system " + own.name + " is not the same on both nodes: ";
  if (own.zone != peer.zone)
    alarms.push_back(begin + zone_text(own.zone) + " here, " + zone_text(peer.zone) +
                     " at the peer");
  if (own.vrf != peer.vrf) alarms.push_back(begin + "its VRF");
  const auto names = [](const Partition& partition) {
    std::vector<std::string> list;
    for (const auto& interface : partition.interfaces) list.push_back(interface.name);
    std::sort(list.begin(), list.end());
    return list;
  };
  if (names(own) != names(peer)) alarms.push_back(begin + "its interfaces");
}

}  // namespace

std::vector<std::string> lacks(const Partition& partition) {
  std::vector<std::string> missing;
  if (!partition.vrf.empty() && !partition.vrf_present) missing.push_back("VRF " + partition.vrf);
  for (const auto& interface : partition.interfaces)
    if (!interface.present) missing.push_back("interface " + interface.name);
  return missing;
}

std::vector<std::string> partition_alarms(const std::vector<Partition>& own,
                                          const std::optional<std::vector<Partition>>& peer) {
  std::vector<std::string> alarms;
  add_lacking("this node", own, alarms);
  if (!peer) return alarms;
  add_lacking("the peer", *peer, alarms);
  for (const Partition& each : own) {
    if (const Partition* same = find(*peer, each.name))
      add_differences(each, *same, alarms);
    else
      alarms.push_back("the peer has no logical system " + each.name);
  }
  for (const Partition& each : *peer)
    if (find(own, each.name) == nullptr)
      alarms.push_back("this node has no logical system " + each.name + ", which the peer has");
  return alarms;
}

std::vector<std::string> differing_files(const std::vector<Partition>& own,
                                         const std::optional<std::vector<Partition>>& peer) {
  std::vector<std::string> list;
  if (!peer) return list;
  for (const Partition& each : own) {
    const Partition* theirs = find(*peer, each.name);
    if (theirs == nullptr) continue;
    for (const auto& [path, checksum] : each.files)
      if (const auto found = theirs->files.find(path);
          found != theirs->files.end() && found->second != checksum)
        list.push_back("logical system " + each.name + " is not the same on both nodes: " + path +
                       "; 'hotpair config diff' shows how");
  }
  return list;
}

std::string lacking(const std::vector<Partition>& one, const std::vector<Partition>& other) {
  std::vector<std::string> all;
  for (const Partition& theirs : other) {
    const Partition* ours = find(one, theirs.name);
    if (ours == nullptr) {
      all.push_back("logical system " + theirs.name);
      continue;
    }
    const auto absent = lacks(theirs);
    std::vector<std::string> missing;
    for (const std::string& what : lacks(*ours))
      if (std::find(absent.begin(), absent.end(), what) == absent.end()) missing.push_back(what);
    if (!missing.empty()) all.push_back(joined(missing) + " of logical system " + theirs.name);
  }
  return joined(all);
}

}  // namespace hotpair::agent
