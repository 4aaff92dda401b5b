// Modules, logical systems, synchronisation and takeover.
#include "platform/config/schema.hpp"
#include "platform/config/values.hpp"

namespace hotpair::config {
namespace {

constexpr std::size_t kMaxPaths = 256, kMaxNftSets = 64;
constexpr std::size_t kMaxHooks = 16;
constexpr std::size_t kMaxProtocols = 32, kMaxRouteTables = 256;

bool is_unit_name(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == name.size()) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '/'; });
}

bool is_route_protocol(const std::string& name) {
  return route_protocol(name).has_value();
}

// A number but that of the local table, or a name.
bool is_route_table(const std::string& name) {
  if (name.empty() || name == "local") return false;
  const bool digits =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits)
    return name.size() <= 31 && std::all_of(name.begin(), name.end(), [](char c) {
             return c > 0x20 && c < 0x7f && c != '/';
           });
  if (name.size() > 10 || name.front() == '0') return false;
  const unsigned long long number = std::stoull(name);
  return number != 255 && number < 0xffff'ffffULL;
}

bool is_nft_set(const std::string& text) {
  return nft_set(text).has_value();
}

// Which keys a module may have follows from its kind.
void check_module(const Input& in, Module& module) {
  const bool worker = module.kind == Module::Kind::worker;
  const std::vector<std::string> foreign =
      worker ? std::vector<std::string>{"interfaces", "priority"}
             : std::vector<std::string>{"unit", "command", "interval", "timeout", "rise", "fall"};
  for (const sys::YamlEntry& entry : in.node.entries)
    if (std::find(foreign.begin(), foreign.end(), entry.key) != foreign.end())
      in.context.report(
          entry.line, in.path + "." + entry.key, entry.value.shown(),
          worker ? "only in a module of kind interface" : "only in a module of kind worker");
  const bool unit = in.node.find("unit") != nullptr, command = in.node.find("command") != nullptr;
  if (worker && unit == command)
    in.context.report(in.node.line, in.path, unit ? "both unit and command" : "",
                      "a worker module has one of unit and command");
  if (!worker && in.node.find("kind") != nullptr && in.node.find("interfaces") == nullptr)
    in.context.report(in.node.line, in.path + ".interfaces", "",
                      "a list of 1 to 64 names of interfaces");
  if (worker && module.timeout > module.interval)
    in.context.report(in.context.line_of(in.path + ".timeout"), in.path + ".timeout",
                      show_duration(module.timeout),
                      "at most the interval, " + show_duration(module.interval));
}

}  // namespace

std::optional<std::uint8_t> route_protocol(const std::string& name) {
  // Of /etc/iproute2/rt_protos, those that a daemon or an administrator gives to routes.
  static const std::map<std::string, std::uint8_t> known = {
      {"boot", 3},        {"static", 4}, {"gated", 8},  {"ra", 9},     {"mrt", 10},  {"zebra", 11},
      {"bird", 12},       {"dhcp", 16},  {"babel", 42}, {"openr", 99}, {"bgp", 186}, {"isis", 187},
      {"keepalived", 18}, {"ospf", 188}, {"rip", 189},  {"eigrp", 192}};
  if (const auto found = known.find(name); found != known.end()) return found->second;
  const bool digits =
      !name.empty() && name.size() <= 3 && name.front() != '0' &&
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  const int number = std::stoi(name);
  if (number < 3 || number > 255 || number == kOwnRouteProtocol) return std::nullopt;
  return static_cast<std::uint8_t>(number);
}

Codec<Module> module_schema() {
  const auto kind = choice<Module::Kind>(
      {{"interface", Module::Kind::interface}, {"worker", Module::Kind::worker}});
  const auto names =
      list_of(interface_name(), 1, kMaxInterfaces, Order::does_not, "names of interfaces");
  const auto unit = text(3, 255, "the name of a systemd unit, e.g. nftables.service", is_unit_name);
  return object<Module>(
      {
          required(field("slot", &Module::slot, integer<int>(1, kMaxSlot))),
          required(field("kind", &Module::kind, kind)),
          field("interfaces", &Module::interfaces, names),
          field("priority", &Module::priority, integer<std::uint8_t>(0, 255)),
          field("unit", &Module::unit, unit),
          field("command", &Module::command, command_line()),
          field("interval", &Module::interval, duration(100ms, 3600s)),
          field("timeout", &Module::timeout, duration(10ms, 60s)),
          field("rise", &Module::rise, integer<int>(1, 100)),
          field("fall", &Module::fall, integer<int>(1, 100)),
      },
      check_module);
}

Codec<LogicalSystem> logical_system_schema() {
  const auto names =
      list_of(interface_name(), 1, kMaxInterfaces, Order::does_not, "names of interfaces");
  return object<LogicalSystem>({
      required(field("name", &LogicalSystem::name, label(1, 31))),
      field("vrf", &LogicalSystem::vrf, device_name()),
      field("conntrack_zone", &LogicalSystem::conntrack_zone, integer<std::uint16_t>(1, 65535)),
      required(field("interfaces", &LogicalSystem::interfaces, names)),
      field("config_paths", &LogicalSystem::config_paths,
            list_of(absolute_path(), 0, kMaxPaths, Order::does_not, "paths")),
  });
}

Codec<ClusterNetwork> cluster_network_schema() {
  return object<ClusterNetwork>({
      field("enabled", &ClusterNetwork::enabled, boolean()),
      field("rate_mbps", &ClusterNetwork::rate_mbps, integer<int>(1, 10'000)),
  });
}

Codec<ConfigSync> config_sync_schema() {
  const auto path_key = [](const std::string& key) -> std::optional<std::string> {
    return key.starts_with('/') ? std::optional(key) : std::nullopt;
  };
  const auto commands = map_of<std::string, std::vector<std::string>>(path_key, "paths as keys",
                                                                      command_line(), kMaxPaths);
  const auto pattern = text(1, 4096, "a path or a glob",
                            [](const std::string& t) { return t.find('\0') == std::string::npos; });
  const auto patterns = list_of(pattern, 0, kMaxPaths, Order::does_not, "globs");
  const auto set = text(1, 1024,
                        "the name of a set or map of nftables, alone or as 'FAMILY TABLE NAME' "
                        "(ip, ip6, inet, bridge, arp or netdev)",
                        is_nft_set);
  return object<ConfigSync>({
      field("paths", &ConfigSync::paths,
            list_of(absolute_path(), 0, kMaxPaths, Order::does_not, "paths")),
      field("ignore", &ConfigSync::ignore, patterns),
      field("substitute", &ConfigSync::substitute,
            list_of(absolute_path(), 0, kMaxPaths, Order::does_not, "paths")),
      field("check", &ConfigSync::check, commands),
      field("apply", &ConfigSync::apply, commands),
      field("backup_changes", &ConfigSync::backup_changes,
            choice<BackupChanges>(
                {{"report", BackupChanges::report}, {"revert", BackupChanges::revert}})),
      field("timeout", &ConfigSync::timeout, duration(1s, 600s)),
      field("rescan", &ConfigSync::rescan, duration(1s, 3600s)),
      field("nft_ruleset", &ConfigSync::nft_ruleset, boolean()),
      field("nft_sets", &ConfigSync::nft_sets,
            list_of(set, 0, kMaxNftSets, Order::does_not, "sets")),
  });
}

Codec<RouteSync> route_sync_schema() {
  const auto protocol = text(1, 16,
                             "a routing protocol as in /etc/iproute2/rt_protos (bgp, ospf, static, "
                             "...) or 3 to 255, but not "
                             "172, which marks what was synchronised",
                             is_route_protocol);
  const auto table =
      text(1, 31, "main, default, a number from 1 (not 255), or the name of a VRF", is_route_table);
  return object<RouteSync>({
      field("enabled", &RouteSync::enabled, boolean()),
      field("protocols", &RouteSync::protocols,
            list_of(protocol, 0, kMaxProtocols, Order::does_not, "routing protocols")),
      field("tables", &RouteSync::tables,
            list_of(table, 0, kMaxRouteTables, Order::does_not, "routing tables")),
      field("hold", &RouteSync::hold, duration(0s, 3600s)),
      field("wait", &RouteSync::wait, duration(0s, 3600s)),
      field("ttl", &RouteSync::ttl, duration(1s, 3600s)),
  });
}

Codec<Events> events_schema() {
  constexpr std::size_t kMostReceivers = 8, kMostOptions = 32, kLongestWord = 255;
  const auto receiver = text(
      1, kLongestWord, "a receiver as snmptrap takes it, e.g. 192.0.2.9 or udp6:[2001:db8::9]:162",
      [](const std::string& word) {
        return word.front() != '-' &&
               std::all_of(word.begin(), word.end(), [](char c) { return c > 0x20 && c < 0x7f; });
      });
  const auto option = text(1, kLongestWord, "a word of 1 to 255 bytes");
  const auto trap = object<SnmpTrap>({
      required(field("receivers", &SnmpTrap::receivers,
                     list_of(receiver, 1, kMostReceivers, Order::matters, "receivers"))),
      field("options", &SnmpTrap::options,
            list_of(option, 0, kMostOptions, Order::matters, "options of snmptrap")),
      field("level", &SnmpTrap::level,
            choice<SnmpTrap::Level>({{"notice", SnmpTrap::Level::notice},
                                     {"warning", SnmpTrap::Level::warning},
                                     {"error", SnmpTrap::Level::error}})),
  });
  return object<Events>({field("snmp_trap", &Events::snmp_trap, trap)});
}

Codec<Takeover> takeover_schema() {
  // The file groups what config.hpp keeps side by side.
  struct Garp {
    int count = Takeover{}.garp_count;
    Duration interval = Takeover{}.garp_interval;
  };
  using Commands = std::vector<std::vector<std::string>>;
  struct Hooks {
    Commands primary, backup, fault;
  };
  struct File {
    Garp garp;
    Hooks hooks;
  };
  const auto commands = list_of(command_line(), 0, kMaxHooks, Order::matters, "commands");
  const auto garp = object<Garp>({
      field("count", &Garp::count, integer<int>(1, 60)),
      field("interval", &Garp::interval, duration(10ms, 20s)),
  });
  const auto hooks = object<Hooks>({
      field("primary", &Hooks::primary, commands),
      field("backup", &Hooks::backup, commands),
      field("fault", &Hooks::fault, commands),
  });
  const Codec<File> file =
      object<File>({field("garp", &File::garp, garp), field("hooks", &File::hooks, hooks)});
  auto read = [file](const Input& in) -> std::optional<Takeover> {
    auto f = file.read(in);
    if (!f) return std::nullopt;
    return Takeover{f->garp.count, f->garp.interval, std::move(f->hooks.primary),
                    std::move(f->hooks.backup), std::move(f->hooks.fault)};
  };
  auto show = [file](const Takeover& t) {
    return file.show(
        File{{t.garp_count, t.garp_interval}, {t.hooks_primary, t.hooks_backup, t.hooks_fault}});
  };
  return {read, show, file.allowed, file.keys};
}

}  // namespace hotpair::config
