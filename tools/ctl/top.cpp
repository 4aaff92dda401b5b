// `hotpair top`: the pair live on a terminal. Plain ANSI: the alternate screen, the cursor home,
// and each line cleared to its end, so that nothing flickers.
#include <csignal>
#include <cstdio>

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "agent/daemon/control_schema.hpp"
#include "platform/linux/clock.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/top_view.hpp"

namespace hotpair::ctl {
namespace {

constexpr Duration kOnceApart = 250ms;  // of the two looks behind the rates
constexpr Duration kAskWithin = 1s;
constexpr int kHistoryShown = 20;

double interval_s = 1;
bool once = false;

volatile std::sig_atomic_t ending = 0;  // by a signal

Look look(const Context& context) {
  Look look;
  const auto ask = [&](Daemon daemon, const Json& request) {
    auto answer = context.try_ask(daemon, request, kAskWithin);
    if (!answer && daemon == Daemon::agent) look.trouble = answer.error().message;
    return answer ? std::move(*answer) : Json();
  };
  look.agent = ask(Daemon::agent, {{"command", control::command::kStatus}});
  look.dataplane = ask(Daemon::dataplane, {{"command", control::command::kDataplaneStatus}});
  look.history =
      ask(Daemon::agent, {{"command", control::command::kHistory}, {"limit", kHistoryShown}});
  look.at = sys::now();
  return look;
}

Screen screen_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
    return {};
  return {size.ws_col, size.ws_row};
}

// Keys come one by one and are not shown; the screen is another one. Put back at the end.
class LiveTerminal {
 public:
  LiveTerminal() {
    keys_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (keys_) {
      termios raw = before_;
      raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    put("\033[?1049h\033[?25l");
  }
  LiveTerminal(const LiveTerminal&) = delete;
  LiveTerminal& operator=(const LiveTerminal&) = delete;
  ~LiveTerminal() {
    put("\033[?25h\033[?1049l");
    if (keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  bool keys() const { return keys_; }

  static void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

 private:
  termios before_{};
  bool keys_ = false;
};

void draw(const Context& context, const Look& before, const Look& now) {
  Screen screen = screen_size();
  --screen.rows;  // the last line says how to leave
  std::string text = "\033[H";
  for (const std::string& line : top_frame(context.style, before, now, screen))
    text += line + "\033[K\r\n";
  const std::string help = "q quits; every " + std::to_string(interval_s).substr(0, 4) + " s";
  text += "\033[J\033[" + std::to_string(screen.rows + 1) + ";1H" +
          context.style(Tone::faint, cut_to(help, screen.columns)) + "\033[K";
  LiveTerminal::put(text);
}

// Until the next look is due; false: the end. A resize draws what is known anew.
bool wait_for_key(const Context& context, bool keys, const Look& before, const Look& now) {
  const Instant due = now.at + Duration(static_cast<std::int64_t>(interval_s * 1e9));
  while (!ending && sys::now() < due) {
    pollfd waited{keys ? STDIN_FILENO : -1, POLLIN, 0};
    const auto left = std::max<std::int64_t>(1, to_ms(due - sys::now()));
    const int ready = ::poll(&waited, 1, static_cast<int>(left));
    if (ready < 0) draw(context, before, now);  // SIGWINCH
    if (ready <= 0) continue;
    char key = 0;
    if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q') return false;
  }
  return !ending;
}

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { ending = 1; };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
  action.sa_handler = [](int) {};  // ends the wait
  ::sigaction(SIGWINCH, &action, nullptr);
}

Exit print_once(const Context& context) {
  const Look before = look(context);
  ::poll(nullptr, 0, static_cast<int>(to_ms(kOnceApart)));
  const Look now = look(context);
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  const Screen screen = terminal ? screen_size() : Screen{200, 1000};
  for (const std::string& line : top_frame(context.style, before, now, screen))
    std::printf("%s\n", line.c_str());
  return now.agent.is_object() ? Exit::good : Exit::unreachable;
}

}  // namespace

void add_top_options(CLI::App& app) {
  app.add_option("--interval", interval_s, "seconds between two looks")
      ->check(CLI::Range(0.2, 60.0))
      ->capture_default_str();
  app.add_flag("--once", once, "one frame, printed, and the end");
}

Exit run_top(Context& context) {
  if (context.json) {
    std::fprintf(stderr, "hotpair: top is for people; 'hotpair status --json' is for programs\n");
    return Exit::usage;
  }
  if (once) return print_once(context);
  if (isatty(STDOUT_FILENO) == 0) {
    std::fprintf(stderr, "hotpair: top needs a terminal; 'hotpair top --once' prints one frame\n");
    return Exit::usage;
  }
  watch_signals();
  const LiveTerminal terminal;
  Look before, now = look(context);
  for (;;) {
    draw(context, before, now);
    if (!wait_for_key(context, terminal.keys(), before, now)) return Exit::good;
    before = std::move(now);
    now = look(context);
  }
}

}  // namespace hotpair::ctl
