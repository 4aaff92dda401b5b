// `hotpair explain`: what an event's id means, from the list that the log takes the ids of.
#include <cctype>
#include <cstdio>

#include "platform/base/event_catalog.hpp"
#include "platform/linux/log_sink.hpp"
#include "tools/ctl/command.hpp"

namespace hotpair::ctl {
namespace {

std::string wanted;  // an id, a name, or a part of one; empty: all

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// "HP-1203", "hp-1203", "1203" and "persist-failed" name the one event.
bool is_named(const EventEntry& entry) {
  const std::string id = event_id(entry), asked = upper(wanted);
  return asked == id || "HP-" + asked == id || wanted == entry.name;
}

std::vector<const EventEntry*> chosen() {
  std::vector<const EventEntry*> list;
  for (const EventEntry& entry : kEventCatalog)
    if (is_named(entry)) return {&entry};
  for (const EventEntry& entry : kEventCatalog)
    if (entry.name.find(wanted) != std::string_view::npos) list.push_back(&entry);
  return list;
}

Json to_json(const EventEntry& entry) {
  return {{"id", event_id(entry)},
          {"event", entry.name},
          {"level", sys::to_string(entry.level)},
          {"message_id", sys::journal_message_id(entry.name)},
          {"meaning", entry.meaning},
          {"causes", entry.causes},
          {"next", entry.next}};
}

Tone tone_of(LogLevel level) {
  if (level == LogLevel::error) return Tone::bad;
  return level == LogLevel::warning ? Tone::warning : Tone::plain;
}

void print_whole(const Style& style, const EventEntry& entry) {
  const std::string id = event_id(entry), name(entry.name);
  std::printf("%s  %s  %s\n", style(Tone::strong, id).c_str(), name.c_str(),
              style(tone_of(entry.level), std::string(sys::to_string(entry.level))).c_str());
  std::printf("  means:   %s\n  causes:  %s\n  next:    %s\n", std::string(entry.meaning).c_str(),
              std::string(entry.causes).c_str(), std::string(entry.next).c_str());
  std::printf("  records: journalctl HOTPAIR_ID=%s    (MESSAGE_ID=%s)\n", id.c_str(),
              sys::journal_message_id(entry.name).c_str());
}

void print_list(const Style& style, const std::vector<const EventEntry*>& list) {
  std::vector<std::vector<Cell>> rows = {{"id", "level", "event", "what it means"}};
  for (const EventEntry* entry : list)
    rows.push_back({event_id(*entry),
                    Cell(std::string(sys::to_string(entry->level)), tone_of(entry->level)),
                    std::string(entry->name), std::string(entry->meaning)});
  std::printf("%s", columns(style, rows).c_str());
}

}  // namespace

void add_explain_options(CLI::App& app) {
  app.add_option("id", wanted, "an id (HP-1203), an event's name, or a part of one");
}

Exit run_explain(Context& context) {
  const auto list = chosen();
  if (list.empty()) {
    std::fprintf(stderr, "hotpair: there is no event '%s'; 'hotpair explain' lists them all\n",
                 wanted.c_str());
    return Exit::refused;
  }
  Json events = Json::array();
  for (const EventEntry* entry : list) events.push_back(to_json(*entry));
  if (context.print_json({{"ok", true}, {"events", std::move(events)}})) return Exit::good;
  if (list.size() == 1)
    print_whole(context.style, *list.front());
  else
    print_list(context.style, list);
  return Exit::good;
}

}  // namespace hotpair::ctl
