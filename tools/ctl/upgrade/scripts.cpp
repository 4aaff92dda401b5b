#include "tools/ctl/upgrade/scripts.hpp"

#include <sstream>

#include <nlohmann/json.hpp>

#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl::upgrade {
namespace {

constexpr std::string_view kMark = "hotpair-upgrade: ";

// Read as a whole before any of it is run, so that nothing in it can take from what follows.
// $1 is always the run's id.
constexpr const char* kPrelude = R"sh({
exec </dev/null
umask 077
top=${HOTPAIR_STATE_DIR:-/var/lib/hotpair}/upgrade
say() { echo "hotpair-upgrade: $*" >&2; }
refuse() { say refused "$@"; exit; }
idle() { flock -n "$top/$1/lock" true; }
)sh";
constexpr const char* kPostlude = "\nexit\n}\n";

// $2: who drives.
constexpr const char* kClaim = R"sh(
mkdir -p "$top" || refuse "cannot make $top"
if [ -s "$top/claim" ]; then
  read -r id driver <"$top/claim"
  [ "$id" = "$1" ] || [ "$driver" = "$2" ] ||
    refuse "another upgrade runs, begun on $driver: see 'hotpair upgrade --status' there;" \
      "'hotpair upgrade --abort' ends it"
  [ ! -e "$top/$id/lock" ] || idle "$id" ||
    refuse "the command of an earlier upgrade still runs; see $top/$id"
fi
for old in "$top"/[0-9]*; do [ "$old" = "$top/$1" ] || rm -rf "$old"; done
mkdir -p "$top/$1" && echo "$1 $2" >"$top/claim.new" && mv "$top/claim.new" "$top/claim" &&
  sync "$top" || refuse "cannot write $top/claim"
say done
)sh";

// $2: chassis id, $3: the command. What watches over it (a file: systemd would read the dollars of
// an argument) runs apart from everything that it may restart; told to end, it says so at once, as
// the box may be going down.
constexpr const char* kStart = R"sh(
runner=$(cat <<'EOF'
cd "$1" || exit
end() {
  trap '' TERM
  down=no
  [ "$(systemctl is-system-running 2>/dev/null)" != stopping ] || down=yes
  echo "$1 $down" >status.new && sync status.new && mv status.new status
  exit
}
# A package restarts nothing: what still runs of a file that was replaced is to run anew.
renew() {
  command -v systemctl >/dev/null || return 0
  [ "$(systemctl is-system-running 2>/dev/null)" != stopping ] || return 0
  for unit in hotpair-dataplane hotpaird; do
    pid=$(systemctl show --property MainPID --value "$unit" 2>/dev/null)
    [ "${pid:-0}" -gt 0 ] || continue
    grep -qE '(\.so[.0-9]*|/hotpair[a-z-]*) \(deleted\)$' "/proc/$pid/maps" || continue
    echo "hotpair upgrade: $unit still runs what was replaced; the daemons are restarted"
    systemctl try-restart hotpair-dataplane hotpaird
    return
  done
}
trap 'end 143' TERM
echo $$ >pid
(umask 022; exec sh -c "$(cat command)") >output 2>&1 </dev/null &
wait $!
code=$?
[ $code != 0 ] || renew >>output 2>&1 || code=1
end $code
EOF
)
cd "$top/$1" 2>/dev/null || refuse "nothing is known here of this upgrade"
for tool in flock setsid; do
  command -v $tool >/dev/null || refuse "'$tool' is missing: apt-get install util-linux"
done
if [ -e lock ] && ! idle "$1"; then say done; exit; fi
rm -f status pid output
printf '%s\n' "$3" >command && printf '%s\n' "$runner" >runner && : >output &&
  cat /proc/sys/kernel/random/boot_id >boot && sync . ||
  refuse "cannot write to $top/$1"
id=$1 chassis=$2
set -- flock -w 5 -o "$top/$id/lock" sh "$top/$id/runner" "$top/$id"
set -- env HOTPAIR_CHASSIS_ID="$chassis" HOTPAIR_RUN_DIR="${HOTPAIR_RUN_DIR:-/run/hotpair}" \
  HOTPAIR_STATE_DIR="${HOTPAIR_STATE_DIR:-/var/lib/hotpair}" HOME=/root \
  DEBIAN_FRONTEND=noninteractive "$@"
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
  systemd-run --quiet --collect --unit="hotpair-upgrade-$id" "$@" >start.log 2>&1 ||
    refuse "systemd-run: $(tail -n 1 start.log)"
else
  setsid "$@" </dev/null >start.log 2>&1 &
fi
n=0
while [ ! -s pid ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
[ -s pid ] || refuse "it did not start: $(tail -n 1 start.log)"
say done
)sh";

// How the command stands: state, exit status, whether the box goes down, its boots.
constexpr const char* kReport = R"sh(
report() {
  boot=$(cat /proc/sys/kernel/random/boot_id)
  cd "$top/$1" 2>/dev/null && [ -e boot ] || { say report none 0 no - "$boot"; return; }
  if [ ! -s status ] && idle "$1"; then sleep 1; fi
  if [ -s status ]; then say report ended "$(cat status)" "$(cat boot)" "$boot"
  elif idle "$1"; then say report vanished 0 no "$(cat boot)" "$boot"
  else say report running 0 no "$(cat boot)" "$boot"; fi
}
)sh";
constexpr const char* kLook = R"sh(report "$1")sh";

// $2: bytes of the output that are known. Ends with the command, or after half a minute and is then
// begun again: no dead connection is waited on for longer.
constexpr const char* kFollow = R"sh(
if cd "$top/$1" 2>/dev/null && [ -e output ]; then
  (
    n=0
    while [ ! -s status ] && [ $n -lt 150 ]; do
      if [ $((n % 5)) = 4 ] && idle "$1"; then break; fi
      sleep 0.2
      n=$((n + 1))
    done
  ) &
  tail -c "+$(($2 + 1))" -s 0.2 -f --pid=$! output 2>/dev/null
fi
report "$1"
)sh";

constexpr const char* kStop = R"sh(
cd "$top/$1" 2>/dev/null || { say done "nothing ran"; exit; }
if idle "$1"; then say done "it had ended"; exit; fi
if [ -d /run/systemd/system ] && systemctl stop "hotpair-upgrade-$1" 2>/dev/null; then :
else kill -s TERM -- "-$(cut -d ' ' -f 5 "/proc/$(cat pid)/stat")"; fi
n=0
while [ $n -lt 50 ] && ! idle "$1"; do sleep 0.2; n=$((n + 1)); done
if idle "$1"; then say done "it was ended"; else say done "told to end, and has not yet"; fi
)sh";

constexpr const char* kRelease = R"sh(
if [ -s "$top/claim" ]; then
  read -r id driver <"$top/claim"
  [ "$id" != "$1" ] || rm -f "$top/claim"
fi
say done
)sh";

CommandReport report_of(std::istringstream& words) {
  std::string state, down;
  CommandReport report;
  words >> state >> report.code >> down >> report.boot_then >> report.boot_now;
  using State = CommandReport::State;
  report.state = state == "running"    ? State::running
                 : state == "ended"    ? State::ended
                 : state == "vanished" ? State::vanished
                                       : State::none;
  report.going_down = down == "yes";
  return report;
}

std::string last_line(const std::string& text) {
  std::string line, last;
  for (std::istringstream lines(text); std::getline(lines, line);)
    if (!line.empty()) last = line;
  for (char& c : last)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  constexpr std::string_view kSelf = "hotpair: ";
  if (last.starts_with(kSelf)) last.erase(0, kSelf.size());
  return last.empty() ? "no answer" : last.substr(0, 400);
}

TaskEnded outcome_of_order(const Task& task, const std::string& output, const std::string& errors) {
  TaskEnded ended{task, false, false, "", {}};
  const auto answer = nlohmann::json::parse(output, nullptr, false);
  ended.reached = answer.is_object();
  ended.ok = flag(answer, "ok");
  ended.text = ended.ok        ? text(answer, "message")
               : ended.reached ? text(answer, "error")
                               : last_line(errors);
  return ended;
}

}  // namespace

Work work_of(const Task& task, const Run& run) {
  const auto script = [&](const std::string& name, const std::string& text,
                          std::vector<std::string> more = {}) {
    // The name is for who reads the other node's log.
    Work work{{"sh", "-s", "--", run.id}, kPrelude + text + kPostlude};
    for (auto& argument : more) work.words.push_back(std::move(argument));
    work.words.push_back("hotpair-upgrade-" + name);
    return work;
  };
  switch (task.kind) {
    case Task::Kind::claim:
      return script("claim", kClaim, {run.name_of(run.driver)});
    case Task::Kind::start:
      return script("start", kStart, {std::to_string(task.node), run.command});
    case Task::Kind::follow:
      return script("follow", std::string(kReport) + kFollow, {std::to_string(task.offset)});
    case Task::Kind::look:
      return script("look", std::string(kReport) + kLook);
    case Task::Kind::maintenance_on:
      return {{"hotpair", "--json", "maintenance", "on"}, ""};
    case Task::Kind::maintenance_off:
      return {{"hotpair", "--json", "maintenance", "off"}, ""};
    case Task::Kind::stop:
      return script("stop", kStop);
    case Task::Kind::release:
      return script("release", kRelease);
  }
  return {};
}

TaskEnded outcome_of(const Task& task, const std::string& output, const std::string& errors) {
  if (task.kind == Task::Kind::maintenance_on || task.kind == Task::Kind::maintenance_off)
    return outcome_of_order(task, output, errors);
  TaskEnded ended{task, false, false, "", {}};
  const std::size_t at = errors.rfind(kMark);
  if (at == std::string::npos) {
    ended.text = last_line(errors);
    return ended;
  }
  std::istringstream words(errors.substr(at + kMark.size()));
  std::string word;
  words >> word;
  ended.reached = true;
  ended.ok = word == "done" || word == "report";
  if (word == "report")
    ended.report = report_of(words);
  else
    std::getline(words >> std::ws, ended.text);
  return ended;
}

}  // namespace hotpair::ctl::upgrade
