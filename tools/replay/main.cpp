// hotpair-replay: asks the code for the decisions of a recording again.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "platform/linux/files.hpp"
#include "tools/replay/report.hpp"

namespace {

using namespace hotpair;
using nlohmann::json;

constexpr int kSame = 0, kDifferent = 1, kUnreadable = 2;
constexpr std::size_t kLargestFile = 256 << 20;

constexpr const char* kDescription =
    "hotpair-replay repeats what a node decided. hotpaird records everything a node learns and "
    "what\n"
    "it then decides in <state-dir>/recordings; this program asks the decisions of the code "
    "again,\n"
    "event by event, and says where they would differ today.";

constexpr const char* kExamples =
    "Examples:\n"
    "  hotpair-replay /var/lib/hotpair/recordings              all of it, in order\n"
    "  hotpair-replay --story 00000012-role.hprec              the decisions, a line each\n"
    "  hotpair-replay --verbose 00000012-role.hprec            and the events that led to them\n"
    "  hotpair-replay --verbose --from 2026-03-01T02:14:00Z --until 2026-03-01T02:15:00Z DIR\n"
    "  hotpair-replay --json DIR | jq '.files[].difference'\n\n"
    "A segment replays by itself. Those with -role in the name have a change of role in them and\n"
    "are kept longest. There are no keys and no passwords in a recording; it does say addresses,\n"
    "host names and serials.\n\n"
    "Exit status: 0 the code decides the same, 1 it decides otherwise (the first difference is\n"
    "told), 2 wrong usage, or a file is damaged or cannot be read.";

struct Arguments {
  std::vector<std::string> paths;
  bool verbose = false, story = false, json = false;
  std::string from, until;
};

// Seconds since the beginning of the recording, or a time of the wall clock's text.
struct Bound {
  std::optional<double> seconds;
  std::string time;

  bool before(const replay::Told& told) const {
    return seconds ? to_seconds(told.since_start) > *seconds : !time.empty() && told.time > time;
  }
  bool after(const replay::Told& told) const {
    return seconds ? to_seconds(told.since_start) < *seconds : !time.empty() && told.time < time;
  }
};

// "12.5", or the beginning of "2026-03-01T12:00:00Z".
bool parse_bound(const std::string& text, Bound& bound) {
  if (text.empty()) return true;
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (*end == '\0') {
    bound.seconds = seconds;
    return true;
  }
  const bool date = text.size() >= 10 && text[4] == '-' && text[7] == '-';
  if (date) bound.time = text.back() == 'Z' ? text.substr(0, text.size() - 1) : text;
  return date;
}

// A directory's recordings in the order of their numbers, which is that of their names.
std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
         it.increment(error))
      if (it->path().extension() == ".hprec") found.push_back(it->path().string());
    std::ranges::sort(found);
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

int complain(const std::string& message) {
  std::fprintf(stderr, "hotpair-replay: %s\n", message.c_str());
  return kUnreadable;
}

class Session {
 public:
  Session(const Arguments& arguments, Bound from, Bound until)
      : arguments_(arguments), from_(std::move(from)), until_(std::move(until)) {}

  int run(const std::vector<std::string>& files) {
    for (const std::string& file : files) play(file);
    if (arguments_.json) {
      json out = {{"ok", status_ == kSame}, {"files", reports_}};
      if (arguments_.verbose || arguments_.story) out["story"] = story_;
      std::printf("%s\n", out.dump(2, ' ', false, json::error_handler_t::replace).c_str());
    }
    return status_;
  }

 private:
  void play(const std::string& path) {
    auto content = sys::read_file(path, kLargestFile);
    replay::FileReport report;
    report.file = path;
    if (content) {
      const Bytes bytes(reinterpret_cast<const std::uint8_t*>(content->text.data()),
                        content->text.size());
      report = player_.play(path, bytes);
    } else {
      report.error = content.error().message;
    }
    if (!report.error.empty())
      status_ = kUnreadable;
    else if (report.difference && status_ == kSame)
      status_ = kDifferent;
    if (arguments_.json)
      reports_.push_back(replay::to_json(report));
    else
      std::fputs(replay::in_words(report).c_str(), stdout);
  }

  void tell(const replay::Told& told) {
    if (from_.after(told) || until_.before(told)) return;
    if (arguments_.story && told.reports.empty()) return;
    if (arguments_.json && (arguments_.verbose || arguments_.story)) {
      story_.push_back(replay::to_json(told));
    } else if (!arguments_.json && arguments_.story) {
      std::fputs(replay::story_lines(told, player_.chassis()).c_str(), stdout);
    } else if (!arguments_.json && arguments_.verbose) {
      std::fputs(replay::verbose_lines(told).c_str(), stdout);
    }
  }

  const Arguments& arguments_;
  Bound from_, until_;
  replay::Player player_{[this](const replay::Told& told) { tell(told); }};
  json reports_ = json::array(), story_ = json::array();
  int status_ = kSame;
};

void describe(CLI::App& app, Arguments& arguments) {
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("hotpair-replay " HOTPAIR_VERSION));
  app.add_option("FILE", arguments.paths, "Recordings, or directories of them")->required();
  app.add_flag("--verbose", arguments.verbose, "Tell every event that changed something");
  app.add_flag("--story", arguments.story, "Tell the decisions alone, as tests/golden does");
  app.add_flag("--json", arguments.json, "For programs; with --verbose the story is in it");
  app.add_option("--from", arguments.from,
                 "Tell nothing before: seconds from the beginning, or 2026-03-01T12:00:00Z");
  app.add_option("--until", arguments.until, "Tell nothing after; everything is replayed anyhow");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{kDescription, "hotpair-replay"};
  Arguments arguments;
  describe(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSame : kUnreadable;
  }
  Bound from, until;
  for (const auto& [text, bound] : {std::pair(&arguments.from, &from), {&arguments.until, &until}})
    if (!parse_bound(*text, *bound))
      return complain("'" + *text + "' is neither seconds nor a time like 2026-03-01T12:00:00Z");
  const auto files = files_of(arguments.paths);
  if (files.empty())
    return complain("no recording (*.hprec) in " + arguments.paths.front() +
                    "; hotpaird writes them to <state-dir>/recordings unless --recording is 0");
  return Session(arguments, from, until).run(files);
}
