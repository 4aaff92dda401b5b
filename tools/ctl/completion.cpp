// `hotpair completion`: the shell's completion, drawn from the command line itself, so that it
// knows what this version understands.
#include <cstdio>
#include <string>

#include "tools/ctl/command.hpp"

namespace hotpair::ctl {
namespace {

// What an option may be, from the set that CLI11 shows in its help: "TEXT:{up,down}".
std::string choices(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{'), close = type.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return "";
  std::string words = type.substr(open + 1, close - open - 1);
  for (char& c : words)
    if (c == ',') c = ' ';
  return words;
}

struct Tables {
  std::string commands;  // "status|why|..."
  std::string values;    // case branches: what an option may be
  std::string words;     // case branches: what may come next
};

void describe(const CLI::App& command, const std::string& always, Tables& tables) {
  const std::string name = command.get_name();
  std::string words = always;
  for (const CLI::Option* option : command.get_options()) {
    const std::string values = choices(*option);
    if (option->get_positional()) words = values + " " + words;
    for (const std::string& flag : option->get_lnames()) {
      words += " --" + flag;
      if (!values.empty())
        tables.values += "    '" + name + " --" + flag + "') words='" + values + "' ;;\n";
    }
  }
  tables.commands += (tables.commands.empty() ? "" : "|") + name;
  tables.words += "    '" + name + "') words='" + words + "' ;;\n";
}

std::string with_spaces(std::string text) {
  for (char& c : text)
    if (c == '|') c = ' ';
  return text;
}

}  // namespace

Exit run_completion(Context& context) {
  Tables tables;
  for (const CLI::App* command : context.app->get_subcommands([](const CLI::App*) { return true; }))
    describe(*command, "--json --run-dir", tables);
  std::printf(
      "# Completion of hotpair for bash; for zsh after 'autoload bashcompinit; bashcompinit'.\n"
      "_hotpair() {\n"
      "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "  local command='' words='' word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$word\" in %s) command=\"$word\"; break ;; esac\n"
      "  done\n"
      "  case \"$command\" in\n"
      "    '') words='%s --help --json --run-dir' ;;\n%s"
      "  esac\n"
      "  case \"$command $prev\" in\n%s"
      "    *' --run-dir'|*' --config-dir') COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "}\n"
      "complete -F _hotpair hotpair\n",
      tables.commands.c_str(), with_spaces(tables.commands).c_str(), tables.words.c_str(),
      tables.values.c_str());
  return Exit::good;
}

}  // namespace hotpair::ctl
