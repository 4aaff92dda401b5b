// hotpair: what the pair does and why, and the few orders it takes. A table of commands; each asks
// one of the two daemons over its control socket and says the answer in words, or as JSON.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "tools/ctl/command.hpp"

namespace hotpair::ctl {
namespace {

constexpr std::array kCommands = {
    Command{"status", "Both nodes at a glance: who is primary, who could take over, what is wrong",
            "Examples:\n"
            "  hotpair status\n"
            "  hotpair status --json | jq .in_sync          is the backup ready?\n"
            "  watch -n1 hotpair status",
            nullptr, run_status},
    Command{"top", "The pair live: both nodes, links, rates, lag, heartbeats and history; q quits",
            "Examples:\n"
            "  hotpair top\n"
            "  hotpair top --interval 0.5\n"
            "  hotpair top --once                           one frame, for a report",
            add_top_options, run_top},
    Command{"why", "Why this node has its role: every criterion of the election with both values",
            "Example:\n  hotpair why", nullptr, run_why},
    Command{
        "doctor",
        "Names each problem of the pair, the box and the configuration, its cause and its mend",
        "Looks at the box and the files also when hotpaird does not run. Changes nothing.\n"
        "Exit status 1 when there is a problem, 0 when there are at most warnings.\n"
        "Examples:\n"
        "  sudo hotpair doctor\n"
        "  sudo hotpair doctor --json | jq '.findings[].id'\n"
        "  sudo hotpair doctor --config-dir /root/new   is this configuration good for this box?",
        add_doctor_options, run_doctor},
    Command{"history", "Dated role changes with their causes and how long each took",
            "Examples:\n"
            "  hotpair history --limit 5\n"
            "  hotpair history --health                     what each node was like then\n"
            "  hotpair history --steps                      where the milliseconds went",
            add_history_options, run_history},
    Command{"sessions", "How many sessions this node holds; lists them by filters",
            "Examples:\n"
            "  hotpair sessions                             the count\n"
            "  hotpair sessions --protocol tcp --port 443 --state established\n"
            "  hotpair sessions --address 192.0.2.10 --json\n"
            "  hotpair sessions --list --limit 0            all of them",
            add_sessions_options, run_sessions},
    Command{"verify",
            "Compares both nodes' session tables now; exit status 0 when equal, 1 when not",
            "Example:\n  hotpair verify && hotpair failover", nullptr, run_verify},
    Command{"failover",
            "Planned switchover: moves the primary role to the other node, losing nothing",
            "Refused, with the reason, when the backup could not carry on every session.\n"
            "Examples:\n"
            "  hotpair failover --dry-run                   would it be done, and how?\n"
            "  hotpair failover\n"
            "  hotpair failover --force                     although the backup is not in sync",
            add_failover_options, run_failover},
    Command{
        "what-if",
        "Who would be primary if a link, a module or a node failed: asked of the real election",
        "Assumptions add up, and all are about one node: this one, unless --node says otherwise.\n"
        "Nothing is changed.\n"
        "Examples:\n"
        "  hotpair what-if --link wan=down\n"
        "  hotpair what-if --node 2 --link wan=down --module 3=failed\n"
        "  hotpair what-if --node 1 --power off\n"
        "  hotpair what-if --management down --json",
        add_what_if_options, run_what_if},
    Command{"force",
            "An operator's word about this node that outranks the election, also after restarts",
            "Examples:\n"
            "  hotpair force backup                         at once; 'hotpair maintenance' waits\n"
            "  hotpair force none                           afterwards: the election decides again",
            add_force_options, run_force},
    Command{
        "maintenance",
        "Before work on this box: gives the role to the other node and does not take it back",
        "A primary hands over first, as in a planned failover, and refuses while the other node "
        "is\nnot in sync. In maintenance, also after restarts, a node takes the role only when "
        "the other\none is gone, and gives it back when that one is there again and in sync.\n"
        "Examples:\n"
        "  hotpair maintenance on\n"
        "  hotpair maintenance off                      nothing moves back by itself",
        add_maintenance_options, run_maintenance},
    Command{"reload", "Reads the configuration again; a mistake in it is named and changes nothing",
            "Example:\n  hotpaird --check-config && hotpair reload", nullptr, run_reload},
    Command{"password",
            "Brings in a new heartbeat password while the pair runs, without a change of role",
            "Both loaded passwords are accepted, one is used. Passwords are named by an id that "
            "tells\nnothing of them. To rotate:\n"
            "  1. append the new password as a second line to the password file of both nodes\n"
            "  2. hotpair reload                            on both nodes\n"
            "  3. hotpair password status                   both nodes accept it?\n"
            "  4. hotpair password switch                   once, on either node: both go over\n"
            "  5. remove the first line from both files, and hotpair reload on both\n"
            "Example:\n"
            "  hotpair password switch --back               to the first line again",
            add_password_options, run_password},
    Command{"peer",
            "Runs a command or a shell on the other node, or ssh to it; needs nothing set up",
            "Over the cluster network, which rides in the heartbeat cables. Root's, on both ends; "
            "logged there.\n"
            "exec: the words are the program and its arguments; its exit status is this one's;\n"
            "127: there is no such program there, 126: it cannot be run.\n"
            "Switched off on a node by 'peer_exec: false' in its node.yaml. ssh needs sshd there.\n"
            "Examples:\n"
            "  sudo hotpair peer exec nft list ruleset | diff - <(sudo nft list ruleset)\n"
            "  sudo hotpair peer exec sh -c 'journalctl -u hotpaird | tail'\n"
            "  sudo hotpair peer shell\n"
            "  hotpair peer ssh -l admin",
            add_peer_options, run_peer},
    Command{
        "config",
        "Whether both nodes' configuration files are the same, how they differ, who prevails",
        "About the paths of config_sync in cluster.yaml. On the primary changes go over by "
        "themselves;\npush and pull also overwrite what was changed on the other node, and keep "
        "it beside.\n"
        "Exit status of checksum and diff: 0 the same, 1 different.\n"
        "Examples:\n"
        "  hotpair config checksum\n"
        "  hotpair config diff\n"
        "  hotpair config push",
        add_config_options, run_config},
    Command{
        "upgrade",
        "Upgrades both nodes, the backup first, with every connection kept; stops at the first "
        "failure",
        "Each node in turn: maintenance begins (the primary hands the role over first), the "
        "command runs\nthere, apart from what it may restart; the node must be back, of the same "
        "or a newer protocol, and\nproven in sync; maintenance ends. The role goes back only "
        "where election.override says so. Begins\nonly with a pair that is whole and in sync; "
        "needs 'peer_exec' and hotpair in $PATH on the other node.\n"
        "Daemons that still run files which the command replaced are restarted (systemd).\n"
        "Interrupted, failed, or its own box restarted: nothing is lost, 'hotpair upgrade "
        "--resume' goes on.\nThe command gets HOTPAIR_CHASSIS_ID, HOTPAIR_RUN_DIR and "
        "HOTPAIR_STATE_DIR.\n"
        "Examples:\n"
        "  sudo hotpair upgrade --dry-run --command 'apt-get install -y hotpair'\n"
        "  sudo hotpair upgrade --command 'apt-get install -y hotpair'\n"
        "  sudo hotpair upgrade --command 'apt-get -y dist-upgrade && reboot' --wait 20m\n"
        "  sudo hotpair upgrade --status                how far it came, and why it stopped\n"
        "  sudo hotpair upgrade --resume",
        add_upgrade_options, run_upgrade},
    Command{"setup", "Writes this box's configuration from a few answers, or from flags alone",
            "Writes node.yaml, cluster.yaml, the password, hugepages and the NIC's binding to "
            "vfio-pci, both at\neach boot; then lets hotpaird check them. Starts nothing.\n"
            "Examples:\n"
            "  sudo hotpair setup                           asks\n"
            "  sudo hotpair setup --yes --chassis 1 --heartbeat ha0 --heartbeat ha1 --sync "
            "0000:3b:00.1 \\\n"
            "      --group-id 7 --address lan=192.0.2.1/24 --address wan=198.51.100.1/24\n"
            "  sudo hotpair setup --chassis 2 --cluster-from cluster.yaml --password-from password",
            add_setup_options, run_setup},
    Command{"migrate", "Writes cluster.yaml from keepalived's and conntrackd's configuration",
            "What could not be carried over is listed on standard error, with file and line.\n"
            "Examples:\n"
            "  hotpair migrate /etc/keepalived/keepalived.conf /etc/conntrackd/conntrackd.conf\n"
            "  hotpair migrate keepalived.conf -o cluster.yaml",
            add_migrate_options, run_migrate},
    Command{"explain", "What an event of the log means, its likely causes and what to do next",
            "Without an id it lists every event; the id is in each record, as HOTPAIR_ID.\n"
            "Examples:\n"
            "  hotpair explain HP-1203\n"
            "  hotpair explain path                         all with it in their name\n"
            "  journalctl -u hotpaird HOTPAIR_ID=HP-1101",
            add_explain_options, run_explain},
    Command{"keys", "Every key of the configuration: what it means, what is allowed, its default",
            "Examples:\n"
            "  hotpair keys heartbeat\n"
            "  hotpair keys --json | jq -r '.\"cluster.yaml\"[].key'",
            add_keys_options, run_keys},
    Command{"completion", "Prints the shell's completion of this command",
            "Example:\n"
            "  hotpair completion | sudo tee /etc/bash_completion.d/hotpair >/dev/null",
            nullptr, run_completion},
    Command{"version", "The versions of this command, the daemon and the peer",
            "Example:\n  hotpair version --json", nullptr, run_version},
};

constexpr const char* kDescription =
    "The state of a hotpair firewall pair, and the orders it takes.";
constexpr const char* kFooter =
    "Start with 'hotpair status'. Each command has its own help: hotpair failover --help\n"
    "Exit status: 0 good; 1 refused or different; 2 wrong usage; 3 the daemon is not reachable.";

// The word where a command belongs, when it is not one.
const char* unknown_command(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--run-dir") ++i;
    if (word.empty() || word[0] == '-') continue;
    const bool known = std::any_of(kCommands.begin(), kCommands.end(),
                                   [&](const Command& command) { return word == command.name; });
    return known ? nullptr : argv[i];
  }
  return nullptr;
}

int run_command_line(int argc, char** argv) {
  if (const char* word = unknown_command(argc, argv)) {
    std::fprintf(stderr, "hotpair: there is no command '%s'; there are:", word);
    for (const Command& command : kCommands) std::fprintf(stderr, " %s", command.name);
    std::fprintf(stderr, "\n");
    return static_cast<int>(Exit::usage);
  }
  Context context;
  context.style = Style::for_standard_output();
  CLI::App app{kDescription, "hotpair"};
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("hotpair " HOTPAIR_VERSION));
  app.require_subcommand(1);
  app.add_option("--run-dir", context.run_dir, "where the daemons' sockets are")
      ->envname("HOTPAIR_RUN_DIR")
      ->capture_default_str();
  app.add_flag("--json", context.json, "answers for programs");
  context.app = &app;
  Exit exit = Exit::good;
  for (const Command& command : kCommands) {
    CLI::App* sub = app.add_subcommand(command.name, command.help);
    sub->footer(command.examples);
    sub->fallthrough();  // --json and --run-dir are understood after the command too
    if (command.add_options) command.add_options(*sub);
    sub->callback([&context, &exit, &command] { exit = command.run(context); });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  return static_cast<int>(exit);
}

}  // namespace
}  // namespace hotpair::ctl

int main(int argc, char** argv) {
  return hotpair::ctl::run_command_line(argc, argv);
}
