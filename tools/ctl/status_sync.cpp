#include "tools/ctl/status_sync.hpp"

#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {
namespace {

using Json = nlohmann::json;

std::string configuration(const Style& style, const Json& status) {
  const Json& config = child(status, "config");
  if (!config.is_object()) return "";
  std::string line = "  " + spoken_count(count(config, "files")) + " files, ";
  const std::string error = text(config, "error");
  if (count(config, "in_sync") == 1)
    line += style(Tone::good, "in sync");
  else
    line += style(Tone::warning, "NOT IN SYNC" + (error.empty() ? "" : ": " + error));
  const std::string last = text(config, "last_change");
  if (!last.empty()) line += "; last change went over " + spoken_time(last);
  return style(Tone::strong, "Configuration") + "\n" + line + "\n";
}

std::string route_counts(const Json& routes) {
  std::string line = spoken_count(count(routes, "installed")) + " in the kernel";
  const std::pair<const char*, const char*> others[] = {{"waiting", "wait for their device"},
                                                        {"own", "that the backup has itself"},
                                                        {"refused", "REFUSED by the kernel"}};
  for (const auto& [key, meaning] : others)
    if (const auto times = count(routes, key)) line += ", " + spoken_count(times) + " " + meaning;
  return line;
}

// What the primary does not send, by reason.
std::string routes_left_out(const Json& routes) {
  const std::pair<const char*, const char*> reasons[] = {
      {"encapsulated", "encapsulated"},
      {"by_source", "routed by source"},
      {"nexthop_object", "with a nexthop object"},
      {"device_not_shared", "over a device without a name at the peer"},
      {"malformed", "unreadable"}};
  std::string line;
  for (const auto& [key, meaning] : reasons)
    if (const auto times = count(child(routes, "left_out"), key))
      line += (line.empty() ? "" : ", ") + spoken_count(times) + " " + meaning;
  return line.empty() ? "" : "  not sent: " + line + "\n";
}

std::string routes(const Style& style, const Json& status) {
  const Json& routes = child(status, "routes");
  if (!routes.is_object()) return "";
  const bool sends = text(routes, "role") == "sends";
  std::string line = "  " + spoken_count(count(routes, "routes")) + " routes and " +
                     spoken_count(count(routes, "neighbours")) + " neighbours " +
                     (sends ? "of this node" : "of the primary") + ", " +
                     (sends ? "at the backup " : "here ") + route_counts(routes) + "; ";
  const std::string error = text(routes, "error");
  if (count(routes, "in_sync") == 1)
    line += style(Tone::good, "in sync");
  else
    line += style(Tone::warning, "NOT IN SYNC" + (error.empty() ? "" : ": " + error));
  if (const auto lag = number(routes, "lag_ms"); lag && *lag > 0)
    line += "; a change has waited for " + spoken_duration(*lag / 1e3);
  if (const auto left = number(routes, "ttl_left_ms"))
    line += "; those of the former primary go in " + spoken_duration(*left / 1e3);
  return style(Tone::strong, "Routes") + "\n" + line + "\n" + routes_left_out(routes);
}

std::string ruleset(const Style& style, const Json& status) {
  const Json& ruleset = child(status, "ruleset");
  if (!ruleset.is_object()) return "";
  const bool follows = flag(ruleset, "nft_ruleset");
  std::string line = "  ";
  if (follows) line += spoken_count(count(ruleset, "tables")) + " tables; ";
  const std::string error = text(ruleset, "error");
  if (count(ruleset, "in_sync") == 1)
    line += style(Tone::good, "in sync");
  else
    line += style(Tone::warning, "NOT IN SYNC" + (error.empty() ? "" : ": " + error));
  if (flag(ruleset, "changed_on_backup"))
    line += style(Tone::warning, "; the backup's was changed there");
  const std::string last = text(ruleset, "last_change");
  if (!last.empty()) line += "; last change went over " + spoken_time(last);
  line += "\n";
  for (const Json& set : child(ruleset, "sets")) {
    const std::string trouble = text(set, "error");
    line += "  " + text(set, "set") + ": " + spoken_count(count(set, "elements")) + " elements, ";
    line += count(set, "in_sync") == 1
                ? style(Tone::good, "in sync")
                : style(Tone::warning, "NOT IN SYNC" + (trouble.empty() ? "" : ": " + trouble));
    line += "\n";
  }
  return style(Tone::strong, "Ruleset") + "\n" + line;
}

}  // namespace

std::string synchronised(const Style& style, const Json& status) {
  std::string blocks;
  for (const std::string& block :
       {configuration(style, status), ruleset(style, status), routes(style, status)})
    if (!block.empty()) blocks += (blocks.empty() ? "" : "\n") + block;
  return blocks;
}

}  // namespace hotpair::ctl
