#include "agent/daemon/check_command.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

using End = sys::ProcessOutcome::End;

constexpr std::size_t kMaxOutput = 4096;  // more than any first line that is shown

bool printable(char c) {
  return c >= ' ' && c <= '~';
}

std::string name_of(const config::Module& module) {
  const std::string& path = module.command.front();
  const auto slash = path.find_last_of('/');
  return first_line(slash == std::string::npos ? path : path.substr(slash + 1));
}

std::string what_went_wrong(const config::Module& module, const sys::ProcessOutcome& outcome) {
  switch (outcome.end) {
    case End::exited:
      return "exit status " + std::to_string(outcome.code);
    case End::signalled:
      return "ended by signal " + std::to_string(outcome.code);
    case End::timed_out:
      return "ran longer than " + std::to_string(to_ms(module.timeout)) + " ms";
    case End::not_started:
      break;
  }
  return first_line(outcome.error);
}

}  // namespace

std::string first_line(std::string_view output) {
  const auto begin = output.find_first_not_of("\r\n\t ");
  if (begin == std::string_view::npos) return {};
  output.remove_prefix(begin);
  output = output.substr(0, std::min(output.find('\n'), kMaxOutputLine));
  std::string line(output);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  std::replace_if(
      line.begin(), line.end(), [](char c) { return !printable(c); }, '?');
  return line;
}

std::string check_failure(const config::Module& module, const sys::ProcessOutcome& outcome) {
  if (outcome.ok()) return {};
  const std::string said = first_line(outcome.output);
  return "slot " + std::to_string(module.slot) + " (" + name_of(module) +
         "): " + what_went_wrong(module, outcome) + (said.empty() ? "" : ": " + said);
}

CheckCommand::CheckCommand(sys::EventLoop& loop, sys::ProcessRunner& runner, config::Module module,
                           Say say)
    : loop_(loop),
      runner_(runner),
      module_(std::move(module)),
      say_(std::move(say)),
      counter_(module_.rise, module_.fall) {
  timer_ = loop_.call_at(sys::now(), [this] { start(); });
}

CheckCommand::~CheckCommand() {
  loop_.cancel(timer_);
  if (process_ != 0) runner_.cancel(process_);
}

void CheckCommand::start() {
  sys::ProcessRequest request;
  request.argv = module_.command;
  request.environment = {{"HOTPAIR_SLOT", std::to_string(module_.slot)}};
  request.timeout = module_.timeout;
  request.max_output = kMaxOutput;
  request.kill_group_at_end = true;
  started_ = sys::now();
  process_ = runner_.run(std::move(request), [this](const auto& outcome) { finished(outcome); });
}

void CheckCommand::finished(const sys::ProcessOutcome& outcome) {
  process_ = 0;
  timer_ = loop_.call_at(std::max(started_ + module_.interval, sys::now()), [this] { start(); });
  ModuleWord word;
  word.state = counter_.count(outcome.ok());
  word.last_output = first_line(outcome.output);
  if (word.state == ModuleState::failed)  // a success on the way back keeps the reason there was
    word.reason = outcome.ok() ? word_.reason : check_failure(module_, outcome);
  if (word.state == ModuleState::unknown)
    word.reason = "slot " + std::to_string(module_.slot) + ": not decided yet, " +
                  std::to_string(counter_.in_a_row()) +
                  (outcome.ok() ? " good in a row" : " failed in a row");
  if (word == word_) return;
  word_ = word;
  say_(word_);
}

}  // namespace hotpair::daemon
