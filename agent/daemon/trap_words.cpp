#include "agent/daemon/trap_words.hpp"

namespace hotpair::daemon {
namespace {

constexpr std::size_t kLongestText = 255;  // of a DisplayString

std::string display(const std::string& text) {
  std::string out = text.substr(0, kLongestText);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  return out;
}

}  // namespace

std::vector<std::string> trap_words(const config::SnmpTrap& trap, const std::string& receiver,
                                    const TrapSource& source, const EventEntry& event,
                                    const LogRecord& record) {
  const std::string root = kTrapRoot;
  std::vector<std::string> words = {"snmptrap"};
  words.insert(words.end(), trap.options.begin(), trap.options.end());
  // The empty word: snmptrap takes the system's uptime.
  words.insert(words.end(), {receiver, "", root + ".0." + std::to_string(event.number)});
  int column = 0;
  const auto add = [&](const char* type, const std::string& value) {
    words.insert(words.end(), {root + ".1." + std::to_string(++column) + ".0", type, value});
  };
  add("s", event_id(event));
  add("i", std::to_string(static_cast<int>(record.level)));
  add("s", display(record.message));
  add("s", display(source.hostname));
  add("i", std::to_string(source.chassis_id));
  add("i", std::to_string(source.group_id));
  return words;
}

}  // namespace hotpair::daemon
