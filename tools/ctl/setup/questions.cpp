#include "tools/ctl/setup/questions.hpp"

#include <charconv>
#include <functional>
#include <optional>
#include <sstream>

namespace hotpair::ctl::setup {
namespace {

std::optional<int> number(const std::string& text) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && at == end ? std::optional(value) : std::nullopt;
}

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

std::optional<std::vector<Pair>> pairs(const std::string& line) {
  std::vector<Pair> all;
  for (const std::string& word : words(line)) {
    const auto pair = parse_pair(word);
    if (!pair) return std::nullopt;
    all.push_back(*pair);
  }
  return all;
}

// Asks until `take` accepts the line.
bool ask(std::istream& in, std::ostream& out, const char* question,
         const std::function<bool(const std::string&)>& take) {
  for (std::string line;;) {
    out << question << " " << std::flush;
    if (!std::getline(in, line)) return false;
    if (take(line)) return true;
    out << "  that was not understood\n";
  }
}

bool ask_pairs(std::istream& in, std::ostream& out, const char* question, std::vector<Pair>& into,
               bool needed) {
  return ask(in, out, question, [&](const std::string& line) {
    const auto all = pairs(line);
    if (!all || (needed && all->empty())) return false;
    into = *all;
    return true;
  });
}

bool ask_about_this_box(Answers& answers, std::istream& in, std::ostream& out) {
  if (answers.chassis_id == 0 && !ask(in, out, "Which box is this, 1 or 2?", [&](const auto& line) {
        answers.chassis_id = number(line).value_or(0);
        return answers.chassis_id == 1 || answers.chassis_id == 2;
      }))
    return false;
  if (answers.heartbeats.empty() &&
      !ask(in, out, "NICs for heartbeats, e.g. 'ha0 ha1' (':VLAN' after a name; 999 otherwise):",
           [&](const auto& line) {
             answers.heartbeats = words(line);
             return !answers.heartbeats.empty();
           }))
    return false;
  return !answers.sync.empty() ||
         ask(in, out, "Port for sessions: a PCI address for DPDK, or a kernel NIC (empty: none):",
             [&](const auto& line) {
               answers.sync = words(line);
               return true;
             });
}

bool ask_about_the_pair(Answers& answers, std::istream& in, std::ostream& out) {
  if (answers.group_id < 0 &&
      !ask(in, out,
           "Number of the pair, 0 to 1023, one a heartbeat network:", [&](const auto& line) {
             answers.group_id = number(line).value_or(-1);
             return answers.group_id >= 0 && answers.group_id <= 1023;
           }))
    return false;
  return !answers.addresses.empty() ||
         ask_pairs(in, out,
                   "Addresses that follow the primary, e.g. 'lan=192.0.2.1/24':", answers.addresses,
                   true);
}

}  // namespace

bool ask_for_missing(Answers& answers, std::istream& in, std::ostream& out) {
  if (!ask_about_this_box(answers, in, out)) return false;
  if (!answers.cluster_text && !ask_about_the_pair(answers, in, out)) return false;
  return !answers.devices.empty() ||
         ask_pairs(in, out, "This box's devices where names differ, e.g. 'lan=ens3f0' (or empty):",
                   answers.devices, false);
}

std::string missing_flags(const Answers& answers) {
  std::string flags;
  if (answers.chassis_id == 0) flags += " --chassis";
  if (answers.heartbeats.empty()) flags += " --heartbeat";
  if (!answers.cluster_text && answers.group_id < 0) flags += " --group-id";
  if (!answers.cluster_text && answers.addresses.empty()) flags += " --address";
  return flags;
}

}  // namespace hotpair::ctl::setup
