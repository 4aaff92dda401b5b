// `hotpair setup`: from a few answers to the files of one box.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/config/config.hpp"
#include "platform/linux/crypto.hpp"
#include "platform/linux/files.hpp"
#include "platform/linux/state_file.hpp"
#include "platform/linux/system_error.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/setup/questions.hpp"

namespace hotpair::ctl {
namespace {

namespace fs = std::filesystem;
using setup::Answers;
using setup::Plan;

constexpr std::size_t kMaxFile = 1 << 20;

Answers answers;
setup::Places places;
std::vector<std::string> device_words, address_words;
std::string cluster_from, password_from, hotpaird = "hotpaird";
bool yes = false, by_force = false, no_pickup = false;

Exit refuse(const std::string& why, Exit exit = Exit::refused) {
  std::fprintf(stderr, "hotpair: %s\n", why.c_str());
  return exit;
}

bool take_pairs(const std::vector<std::string>& words, std::vector<setup::Pair>& into,
                const char* flag) {
  for (const std::string& word : words) {
    const auto pair = setup::parse_pair(word);
    if (!pair) {
      refuse(std::string(flag) + " wants NAME=VALUE, not '" + word + "'");
      return false;
    }
    into.push_back(*pair);
  }
  return true;
}

std::string made_password() {
  std::array<std::uint8_t, 32> bytes{};
  sys::random_bytes(bytes);
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// The password: from --password-from, else the one that is there already, else a new one.
Result<std::string> password() {
  const std::string own = places.config_dir + "/password";
  const std::string path = password_from.empty() ? own : password_from;
  auto content = sys::read_file(path, kMaxFile);
  if (!content && password_from.empty() && content.error().kind == sys::ReadFailure::missing)
    return made_password();
  if (!content) return fail(Error{content.error().message});
  while (content->text.ends_with('\n')) content->text.pop_back();
  return content->text;
}

// Mistakes that the schema knows, found before anything is written.
std::string mistakes(const Plan& plan) {
  const auto config = config::parse_config(plan.node_text, plan.cluster_text);
  std::string text;
  if (!config)
    for (const auto& problem : config.error()) text += (text.empty() ? "" : "\n") + problem.text();
  return text;
}

std::string existing(const Plan& plan) {
  std::string found;
  const bool password_given = !password_from.empty();
  for (const setup::File& file : plan.files) {
    const bool kept = file.path.ends_with("/password") && !password_given;
    if (!kept && fs::exists(fs::symlink_status(file.path))) found += " " + file.path;
  }
  return found;
}

Status write_all(const Plan& plan) {
  for (const setup::File& file : plan.files) {
    std::error_code error;
    const fs::path directory = fs::path(file.path).parent_path();
    fs::create_directories(directory, error);
    if (error) return fail_with("cannot create " + directory.string() + ": " + error.message());
    if (auto written = sys::write_state_file(file.path, file.content, file.mode); !written)
      return written;
    std::printf("  wrote %-44s %s\n", file.path.c_str(), file.what.c_str());
  }
  for (const setup::Link& link : plan.links) {
    std::error_code error;
    fs::create_directories(fs::path(link.path).parent_path(), error);
    fs::remove(link.path, error);
    fs::create_symlink(link.target, link.path, error);
    if (error) return fail_with("cannot create " + link.path + ": " + error.message());
    std::printf("  wrote %s\n  %50s %s\n", link.path.c_str(), "", link.what.c_str());
  }
  return Ok{};
}

// hotpaird's own word; it prints what is wrong.
bool checked_by_the_agent() {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp(hotpaird.c_str(), hotpaird.c_str(), "--check-config", "--config-dir",
             places.config_dir.c_str(), nullptr);
    std::fprintf(stderr, "hotpair: %s: %s\n", hotpaird.c_str(), sys::errno_text(errno).c_str());
    ::_exit(127);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void say_what_is_next(const Plan& plan) {
  const char* config = places.config_dir.c_str();
  std::printf(
      "\nNext, on this box:\n  systemctl daemon-reload\n  systemctl restart systemd-modules-load "
      "systemd-sysctl\n");
  for (const std::string& nic : plan.nics)
    std::printf("  systemctl start hotpair-vfio@%s      the kernel loses this NIC\n", nic.c_str());
  std::printf(
      "  hotpair doctor                                       is this box fit?\n"
      "  systemctl enable --now hotpair-dataplane hotpaird\n");
  if (answers.cluster_text) return;
  std::printf(
      "\nOn the other box, with copies of %s/cluster.yaml and %s/password:\n"
      "  hotpair setup --chassis %d --cluster-from cluster.yaml --password-from password ...\n",
      config, config, 3 - answers.chassis_id);
}

Exit gather() {
  answers.pickup = !no_pickup;
  if (!take_pairs(device_words, answers.devices, "--interface") ||
      !take_pairs(address_words, answers.addresses, "--address"))
    return Exit::usage;
  if (!cluster_from.empty()) {
    auto content = sys::read_file(cluster_from, kMaxFile);
    if (!content) return refuse(content.error().message);
    answers.cluster_text = std::move(content->text);
  }
  if (yes) {
    const std::string missing = setup::missing_flags(answers);
    return missing.empty() ? Exit::good
                           : refuse("with --yes these are needed:" + missing, Exit::usage);
  }
  if (!setup::ask_for_missing(answers, std::cin, std::cout))
    return refuse("the answers ended early; nothing was written", Exit::usage);
  return Exit::good;
}

}  // namespace

void add_setup_options(CLI::App& app) {
  app.add_option("--chassis", answers.chassis_id, "which box this is")->check(CLI::Range(1, 2));
  app.add_option("--heartbeat", answers.heartbeats,
                 "a NIC for heartbeats, NAME or NAME:VLAN; once or more");
  app.add_option(
      "--sync", answers.sync,
      "the port for sessions: a PCI address (DPDK drives it) or a kernel NIC; once or more");
  app.add_option("--interface", device_words,
                 "lan=ens3f0: the cluster's name and this box's device");
  app.add_option("--address", address_words,
                 "lan=192.0.2.1/24: an address that follows the primary");
  app.add_option("--group-id", answers.group_id, "the pair's number")->check(CLI::Range(0, 1023));
  app.add_option("--group-name", answers.group_name, "a name for people");
  app.add_flag("--no-session-pickup", no_pickup, "addresses follow the primary, sessions do not");
  app.add_option("--hugepages", answers.hugepages,
                 "of 2 MiB, when DPDK drives a NIC; 0: ordinary pages")
      ->check(CLI::Range(0, 65536))
      ->capture_default_str();
  app.add_option("--cluster-from", cluster_from,
                 "take the other box's cluster.yaml from this file");
  app.add_option("--password-from", password_from,
                 "take the password from this file; default: make one");
  app.add_option("--config-dir", places.config_dir, "where the configuration goes")
      ->capture_default_str();
  app.add_option("--sysctl-dir", places.sysctl_dir, "where kernel settings go")
      ->capture_default_str();
  app.add_option("--unit-dir", places.unit_dir, "where units are enabled")->capture_default_str();
  app.add_option("--hotpaird", hotpaird, "the program that checks the result")
      ->capture_default_str();
  app.add_flag("--yes", yes, "ask nothing");
  app.add_flag("--force", by_force, "write over files that are there");
}

Exit run_setup(Context&) {
  if (const Exit gathered = gather(); gathered != Exit::good) return gathered;
  auto secret = password();
  if (!secret) return refuse(secret.error().message);
  answers.password = *secret;
  const auto plan = setup::make_plan(answers, places);
  if (!plan) return refuse(plan.error().message);
  if (const std::string wrong = mistakes(*plan); !wrong.empty())
    return refuse("nothing was written, because of:\n" + wrong);
  if (const std::string found = existing(*plan); !found.empty() && !by_force)
    return refuse("nothing was written; --force would write over:" + found);
  if (auto written = write_all(*plan); !written) return refuse(written.error().message);
  if (!checked_by_the_agent()) return refuse("the files were written, and hotpaird refuses them");
  say_what_is_next(*plan);
  return Exit::good;
}

}  // namespace hotpair::ctl
