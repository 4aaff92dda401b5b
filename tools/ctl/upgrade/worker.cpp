#include "tools/ctl/upgrade/worker.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <unistd.h>

#include "tools/ctl/upgrade/scripts.hpp"

namespace hotpair::ctl::upgrade {
namespace {

constexpr std::size_t kMostKept = 1 << 20;
constexpr Duration kPatience = 60s;                    // longer than any of the scripts takes
constexpr const char* kOwnProgram = "/proc/self/exe";  // also when the file has been replaced

std::vector<std::string> reached(std::vector<std::string> words, bool here,
                                 const std::string& run_dir) {
  std::vector<std::string> prefix;
  if (!here) prefix = {kOwnProgram, "--run-dir", run_dir, "peer", "exec", "--"};
  if (here && words[0] == "hotpair") {
    words.erase(words.begin());
    prefix = {kOwnProgram, "--run-dir", run_dir};
  }
  words.insert(words.begin(), prefix.begin(), prefix.end());
  return words;
}

}  // namespace

void Worker::begin(const Task& task, const Run& run, Instant now) {
  drop();
  task_ = task;
  begun_ = now;
  output_.clear();
  errors_.clear();
  sys::InteractiveRequest request;
  Work work = work_of(task, run);
  input_ = std::move(work.input);
  request.argv = reached(std::move(work.words), task.node == self_, run_dir_);
  request.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                         "LANG=C.UTF-8", "HOTPAIR_RUN_DIR=" + run_dir_,
                         "HOTPAIR_STATE_DIR=" + state_dir_};
  auto started = sys::InteractiveProcess::start(request);
  if (!started) {
    not_started_ = started.error().message;
    return;
  }
  process_ = std::move(started).value();
  feed();
}

void Worker::feed() {
  while (!input_.empty() && process_->input) {
    const ssize_t took = ::write(process_->input.get(), input_.data(), input_.size());
    if (took < 0 && errno == EINTR) continue;
    if (took < 0 && errno == EAGAIN) return;
    if (took <= 0) break;  // it reads no more
    input_.erase(0, static_cast<std::size_t>(took));
  }
  input_.clear();
  process_->input.reset();
}

void Worker::drop() {
  process_.reset();
  not_started_.reset();
}

void Worker::add_waited(std::vector<pollfd>& waited) const {
  if (!process_) return;
  for (const int fd : {process_->ended_fd(), process_->output.get(), process_->errors.get()})
    waited.push_back({fd, POLLIN, 0});
  if (process_->input) waited.push_back({process_->input.get(), POLLOUT, 0});
}

void Worker::read_into(sys::FileDescriptor& from, std::string& text) const {
  std::array<char, 16 * 1024> chunk;
  while (from) {
    const ssize_t got = ::read(from.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return from.reset();
    if (text.size() < kMostKept) text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

// What is followed goes on at once; of all else the whole is judged at its end.
void Worker::take_output(std::vector<Event>& events) {
  read_into(process_->output, output_);
  read_into(process_->errors, errors_);
  if (task_.kind == Task::Kind::follow && !output_.empty())
    events.emplace_back(Output{std::exchange(output_, "")});
}

std::vector<Event> Worker::pump(Instant now) {
  std::vector<Event> events;
  if (not_started_) {
    events.emplace_back(TaskEnded{task_, false, false, *std::exchange(not_started_, {}), {}});
    return events;
  }
  if (!process_) return events;
  pollfd ended{process_->ended_fd(), POLLIN, 0};
  const bool over = ::poll(&ended, 1, 0) > 0;
  if (process_->input) feed();
  take_output(events);
  if (over) {
    (void)process_->wait();
    process_.reset();
    events.emplace_back(outcome_of(task_, output_, errors_));
  } else if (now - begun_ > kPatience) {
    process_->signal(SIGTERM);
    process_.reset();
    events.emplace_back(TaskEnded{task_, false, false, "no answer for a minute", {}});
  }
  return events;
}

}  // namespace hotpair::ctl::upgrade
