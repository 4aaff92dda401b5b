#include "agent/daemon/config_change.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <set>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "agent/daemon/config_command.hpp"
#include "agent/daemon/config_files.hpp"
#include "agent/daemon/config_place.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

using agent::ConfigOperation;
using nlohmann::json;
using Kind = agent::ConfigEntry::Kind;

// "20261124T223550Z", sortable and without a character that a shell would take for something else.
std::string stamp() {
  std::string text = sys::wall_clock_text().substr(0, 19) + "Z";
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

bool has_content(const ConfigOperation& operation) {
  return operation.entry && operation.entry->kind != Kind::directory;
}

// The declared check, or the one that goes without saying for a ruleset that nft loads.
std::optional<std::vector<std::string>> check_for(const std::string& path,
                                                  const config::ConfigSync& sync) {
  if (const auto declared = sync.check.find(path); declared != sync.check.end())
    return declared->second;
  const auto apply = sync.apply.find(path);
  if (apply == sync.apply.end() || apply->second.size() != 3) return std::nullopt;
  const auto& argv = apply->second;
  const bool nft = argv[0] == "nft" || argv[0].ends_with("/nft");
  if (!nft || argv[1] != "-f" || !path.starts_with(argv[2])) return std::nullopt;
  return std::vector<std::string>{argv[0], "-c", "-f", "{}"};
}

std::vector<std::string> with_place(std::vector<std::string> argv, const std::string& place) {
  for (auto& word : argv)
    for (std::size_t at = word.find("{}"); at != std::string::npos;
         at = word.find("{}", at + place.size()))
      word.replace(at, 2, place);
  return argv;
}

}  // namespace

ConfigRules make_config_rules(const config::Config& config, const std::string& config_dir) {
  ConfigRules rules;
  rules.sync = config.cluster.config_sync;
  rules.config_dir = config_dir;
  for (auto& path : rules.scope.paths = rules.sync.paths) {
    if (std::ranges::find(rules.sync.substitute, path) == rules.sync.substitute.end()) continue;
    const std::string travels = path + std::string(kTemplateSuffix);
    for (auto* commands : {&rules.sync.check, &rules.sync.apply})
      if (const auto own = commands->find(path); own != commands->end())
        (*commands)[travels] = own->second;
    rules.scope.never.push_back(path);
    path = travels;
  }
  rules.scope.ignore = rules.sync.ignore;
  rules.scope.never.insert(rules.scope.never.end(),
                           {config_dir + "/node.yaml", config.cluster.password_file});
  rules.values = {{"chassis_id", std::to_string(config.node.chassis_id)},
                  {"hostname", config.node.hostname},
                  {"serial", config.node.serial},
                  {"group_id", std::to_string(config.cluster.group_id)},
                  {"group_name", config.cluster.group_name}};
  for (const auto& [name, device] : config.node.interfaces)
    rules.values["interface." + name] = device;
  const auto add_device = [&](const std::string& name) {
    rules.devices[name] = config.node.device(name);
  };
  for (const auto& name : config.cluster.monitor.interfaces) add_device(name);
  for (const auto& redundant : config.cluster.redundant_interfaces) add_device(redundant.interface);
  for (const auto& system : config.cluster.logical_systems) {
    for (const auto& name : system.interfaces) add_device(name);
    for (const auto& path : system.config_paths) {
      const bool made_here = std::ranges::count(rules.sync.substitute, path) != 0;
      rules.parts[path] = made_here ? path + std::string(kTemplateSuffix) : path;
    }
  }
  if (config.cluster.management) add_device(config.cluster.management->interface);
  const auto& heartbeats = config.node.heartbeat_interfaces;
  for (std::size_t i = 0; i < heartbeats.size(); ++i)
    rules.devices["heartbeat " + std::to_string(i + 1)] = heartbeats[i].interface;
  return rules;
}

namespace {

// The one of scope.paths whose commands a path is checked and applied with.
std::optional<std::string> owner_of(const std::string& path, const ConfigRules& rules) {
  const auto& rendered = rules.sync.substitute;
  const bool made_here = std::ranges::find(rendered, path) != rendered.end();
  return agent::scope_of(rules.scope, made_here ? path + std::string(kTemplateSuffix) : path);
}

// Where a check finds what it asks about below the directory of the new files.
std::string place_of(const std::string& path, const ConfigRules& rules) {
  if (agent::is_glob(path)) return agent::glob_root(path);
  const std::string made =
      path.ends_with(kTemplateSuffix) ? path.substr(0, path.size() - kTemplateSuffix.size()) : path;
  const auto& rendered = rules.sync.substitute;
  return std::ranges::find(rendered, made) != rendered.end() ? made : path;
}

}  // namespace

std::vector<std::string> touched_paths(const std::vector<ConfigOperation>& operations,
                                       const ConfigRules& rules) {
  std::set<std::string> touched;
  for (const auto& operation : operations)
    if (const auto path = owner_of(operation.path, rules)) touched.insert(*path);
  std::vector<std::string> ordered;
  for (const auto& path : rules.scope.paths)
    if (touched.contains(path)) ordered.push_back(path);
  return ordered;
}

ConfigChange::ConfigChange(std::string directory, Log log)
    : directory_(std::move(directory)), log_(std::move(log)) {}

std::string ConfigChange::staged(const agent::ContentHash& hash) const {
  return directory_ + "/stage/" + hex_of(hash);
}

Status ConfigChange::begin() {
  remove_tree(directory_ + "/stage");
  remove_tree(directory_ + "/check");
  return make_directories(directory_ + "/stage");
}

Status ConfigChange::append(const agent::ContentHash& hash, std::string_view chunk) {
  const std::string path = staged(hash);
  const sys::FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file) return sys::fail_errno("cannot write " + path, errno);
  const ssize_t wrote = ::write(file.get(), chunk.data(), chunk.size());
  if (wrote == static_cast<ssize_t>(chunk.size())) return Ok{};
  return sys::fail_errno("cannot write " + path, wrote < 0 ? errno : ENOSPC);
}

// What comes from the peer is believed in nothing: where it points, what it replaces, what it is.
Status ConfigChange::verify(const std::vector<ConfigOperation>& operations,
                            const agent::ConfigManifest& present, const ConfigRules& rules) const {
  for (const auto& operation : operations) {
    if (!agent::scope_of(rules.scope, operation.path))
      return fail_with(operation.path + " does not belong to config_sync.paths here");
    const auto found = present.find(operation.path);
    const bool as_expected = operation.found
                                 ? found != present.end() && found->second == *operation.found
                                 : found == present.end();
    if (!operation.entry && !operation.found)
      return fail_with(operation.path + " is to be removed and is not there");
    if (!as_expected) return fail_with(operation.path + " was changed here meanwhile");
    if (!has_content(operation)) continue;
    const auto content = read_config_content(staged(operation.entry->hash), Kind::file);
    if (!content) return fail(content.error());
    if (hash_of(*content) != operation.entry->hash || content->size() != operation.entry->size)
      return fail_with("the content of " + operation.path + " arrived damaged");
  }
  return Ok{};
}

Status ConfigChange::carry_out(const std::vector<ConfigOperation>& wanted,
                               const agent::ConfigManifest& present, const ConfigRules& rules) {
  if (Status done = verify(wanted, present, rules); !done) return done;
  std::vector<ConfigOperation> operations = wanted;
  if (Status done = add_rendered(operations, rules); !done) return done;
  if (Status done = check(operations, rules); !done) return done;
  if (Status done = save(operations); !done) return done;
  Status done = swap(operations);
  const bool applied = done.ok();
  if (done) done = apply(operations, rules);
  if (!done) {
    std::string message = done.error().message + "; everything was put back";
    if (Status undone = undo(); !undone)
      message = done.error().message + ", and " + undone.error().message;
    // A command that failed half-way left something behind that the files before put right.
    if (applied && !stopping_)
      if (Status again = apply(operations, rules); !again)
        message += "; applying what was there before failed too: " + again.error().message;
    return fail_with(message);
  }
  ::unlink((directory_ + "/journal.json").c_str());
  remove_tree(directory_ + "/undo");
  remove_tree(directory_ + "/stage");
  remove_tree(directory_ + "/check");
  undo_.clear();
  return Ok{};
}

// P.template travels; P is made of it here.
Status ConfigChange::add_rendered(std::vector<ConfigOperation>& operations,
                                  const ConfigRules& rules) {
  std::vector<ConfigOperation> rendered;
  for (const auto& operation : operations) {
    if (!has_content(operation) || !operation.path.ends_with(kTemplateSuffix)) continue;
    const std::string path =
        operation.path.substr(0, operation.path.size() - kTemplateSuffix.size());
    const auto& names = rules.sync.substitute;
    if (std::ranges::find(names, path) == names.end()) continue;
    const auto content = read_config_content(staged(operation.entry->hash), Kind::file);
    if (!content) return fail(content.error());
    const auto made = agent::render_template(*content, rules.values);
    if (made.unknown)
      return fail_with(operation.path + " names {{" + *made.unknown + "}}, which has no value");
    ConfigOperation own = operation;
    own.path = path;
    own.entry->hash = hash_of(made.text);
    own.entry->size = made.text.size();
    own.keep_beside = false;
    ::unlink(staged(own.entry->hash).c_str());
    if (Status done = append(own.entry->hash, made.text); !done) return done;
    rendered.push_back(std::move(own));
  }
  operations.insert(operations.end(), rendered.begin(), rendered.end());
  return Ok{};
}

Status ConfigChange::check(const std::vector<ConfigOperation>& operations,
                           const ConfigRules& rules) {
  for (const auto& operation : operations)
    if (Status done = check_cluster_file(operation, rules); !done) return done;
  const std::string root = directory_ + "/check";
  for (const auto& path : touched_paths(operations, rules)) {
    const auto command = check_for(path, rules.sync);
    if (!command) continue;
    for (const auto& operation : operations) {
      if (owner_of(operation.path, rules) != path || !has_content(operation)) continue;
      const auto content = read_config_content(staged(operation.entry->hash), Kind::file);
      if (!content) return fail(content.error());
      agent::ConfigEntry copy = *operation.entry;
      if (Status done = place_config(root + operation.path, copy, *content); !done) return done;
    }
    const std::string place = root + place_of(path, rules);
    if (Status done =
            run_command_to_end(with_place(*command, place), rules.sync.timeout, stopping_);
        !done)
      return fail_with("the check of " + path + " refused it: " + done.error().message);
  }
  return Ok{};
}

Status ConfigChange::check_cluster_file(const ConfigOperation& operation,
                                        const ConfigRules& rules) {
  if (operation.path != rules.config_dir + "/cluster.yaml") return Ok{};
  if (!has_content(operation)) return fail_with(operation.path + " may not be removed");
  const auto cluster = read_config_content(staged(operation.entry->hash), Kind::file);
  if (!cluster) return fail(cluster.error());
  const auto node = read_config_content(rules.config_dir + "/node.yaml", Kind::file);
  if (!node) return fail(node.error());
  const auto parsed = config::parse_config(*node, *cluster);
  if (parsed) return Ok{};
  return fail_with(parsed.error().empty() ? "cluster.yaml cannot be read here"
                                          : parsed.error().front().text());
}

Status ConfigChange::save(const std::vector<ConfigOperation>& operations) {
  undo_.clear();
  remove_tree(directory_ + "/undo");
  if (Status made = make_directories(directory_ + "/undo"); !made) return made;
  ConfigFiles files;
  for (const auto& operation : operations) {
    agent::ConfigScope alone;
    alone.paths = {operation.path};
    const auto found = files.scan(alone).manifest;
    const auto entry = found.find(operation.path);
    Undo undo{operation.path, "", {}};
    if (entry != found.end()) {
      undo.entry = entry->second;
      undo.saved = directory_ + "/undo/" + std::to_string(undo_.size());
      std::string content;
      if (undo.entry.kind != Kind::directory) {
        auto read = read_config_content(operation.path, undo.entry.kind);
        if (!read) return fail(read.error());
        content = std::move(read).value();
      }
      if (Status done = write_durable(undo.saved, content); !done) return done;
    }
    undo_.push_back(std::move(undo));
  }
  return write_journal();
}

Status ConfigChange::write_journal() const {
  json list = json::array();
  for (const auto& undo : undo_)
    list.push_back({{"path", undo.path},
                    {"saved", undo.saved},
                    {"kind", static_cast<int>(undo.entry.kind)},
                    {"mode", undo.entry.mode},
                    {"user", undo.entry.user},
                    {"group", undo.entry.group}});
  return write_durable(directory_ + "/journal.json",
                       list.dump(-1, ' ', false, json::error_handler_t::replace));
}

Status ConfigChange::swap(const std::vector<ConfigOperation>& operations) {
  for (const auto& operation : operations) {
    if (operation.keep_beside) {
      const auto undo = std::ranges::find(undo_, operation.path, &Undo::path);
      const auto before = read_config_content(undo->saved, Kind::file);
      if (!before) return fail(before.error());
      const std::string kept = beside(operation.path, "conflict-" + stamp());
      if (Status done = place_config(kept, undo->entry, *before); !done) return done;
      log_.warning("config-kept-beside", "the version of this node is kept as " + kept,
                   {{"path", operation.path}});
    }
    if (!operation.entry) {
      if (Status done = remove_config(operation.path); !done) return done;
      continue;
    }
    std::string content;
    if (has_content(operation)) {
      auto read = read_config_content(staged(operation.entry->hash), Kind::file);
      if (!read) return fail(read.error());
      content = std::move(read).value();
    }
    if (Status done = place_config(operation.path, *operation.entry, content); !done) return done;
  }
  return Ok{};
}

Status ConfigChange::apply(const std::vector<ConfigOperation>& operations,
                           const ConfigRules& rules) {
  for (const auto& path : touched_paths(operations, rules)) {
    const auto command = rules.sync.apply.find(path);
    if (command == rules.sync.apply.end()) continue;
    if (Status done = run_command_to_end(command->second, rules.sync.timeout, stopping_); !done)
      return fail_with("applying " + path + " failed: " + done.error().message);
  }
  const std::string cluster = rules.config_dir + "/cluster.yaml";
  for (const auto& operation : operations)
    if (operation.path == cluster) ::kill(::getpid(), SIGHUP);  // read again, as it is valid
  return Ok{};
}

Status ConfigChange::undo() {
  std::string failed;
  for (auto each = undo_.rbegin(); each != undo_.rend(); ++each) {
    Status done = Ok{};
    if (each->saved.empty()) {
      done = remove_config(each->path);
    } else {
      const auto content = read_config_content(each->saved, Kind::file);
      done = content ? place_config(each->path, each->entry, *content) : fail(content.error());
    }
    if (!done) failed += (failed.empty() ? "" : "; ") + done.error().message;
  }
  if (!failed.empty())
    return fail_with("it could not all be put back (" + failed + "); what was there is in " +
                     directory_ + "/undo");
  ::unlink((directory_ + "/journal.json").c_str());
  undo_.clear();
  return Ok{};
}

void ConfigChange::recover() {
  const auto text = read_config_content(directory_ + "/journal.json", Kind::file);
  if (!text) return;
  const json list = json::parse(*text, nullptr, false);
  undo_.clear();
  if (list.is_array())
    for (const auto& each : list) {
      Undo undo{each.value("path", ""), each.value("saved", ""), {}};
      undo.entry.kind = static_cast<Kind>(each.value("kind", 1));
      undo.entry.mode = each.value("mode", 0600u);
      undo.entry.user = each.value("user", 0u);
      undo.entry.group = each.value("group", 0u);
      if (!undo.path.empty()) undo_.push_back(std::move(undo));
    }
  const Status done = undo();
  log_.warning("config-recovered",
               done ? "a change of configuration was interrupted; what was there before is back"
                    : done.error().message);
}

}  // namespace hotpair::daemon
