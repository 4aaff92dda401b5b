#include "platform/linux/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include "platform/linux/clock.hpp"

namespace hotpair::sys {
namespace {

using End = ProcessOutcome::End;

class ProcessTest : public testing::Test {
 protected:
  ProcessTest()
      : loop_(std::move(*EventLoop::create())), runner_(std::make_unique<ProcessRunner>(*loop_)) {}

  ProcessOutcome run(ProcessRequest request) {
    std::optional<ProcessOutcome> outcome;
    runner_->run(std::move(request), [&](const ProcessOutcome& o) { outcome = o; });
    EXPECT_FALSE(outcome.has_value()) << "never from inside run()";
    const Instant patience = now() + 20s;
    while (!outcome && now() < patience) loop_->run_once(1s);
    return outcome.value_or(ProcessOutcome{});
  }
  ProcessOutcome shell(const std::string& script, Duration timeout = 10s) {
    ProcessRequest request;
    request.argv = {"sh", "-c", script};
    request.timeout = timeout;
    return run(request);
  }

  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<ProcessRunner> runner_;
};

TEST_F(ProcessTest, output_and_status_come_back) {
  const ProcessOutcome outcome = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(outcome.end, End::exited);
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.output, "out\nerr\n");
  EXPECT_EQ(outcome.error, "sh exited with status 3");
  EXPECT_FALSE(outcome.ok());
}

TEST_F(ProcessTest, success_has_no_error) {
  const ProcessOutcome outcome = shell("true");
  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.error, "");
}

TEST_F(ProcessTest, at_the_timeout_the_whole_group_dies) {
  // The grandchild holds the pipe open; it must neither be waited for nor survive.
  const ProcessOutcome outcome = shell("sleep 300 & echo $!; wait", 100ms);
  EXPECT_EQ(outcome.end, End::timed_out);
  EXPECT_LT(outcome.took, 10s);
  EXPECT_EQ(outcome.error, "sh was killed: it ran longer than 100 ms");
  const pid_t grandchild = std::stoi(outcome.output);
  const Instant patience = now() + 5s;
  auto alive = [&] {
    const std::string path = "/proc/" + std::to_string(grandchild) + "/stat";
    FILE* file = fopen(path.c_str(), "r");
    if (file == nullptr) return false;
    char state = 'Z';
    const int read = fscanf(file, "%*d %*s %c", &state);
    fclose(file);
    return read == 1 && state != 'Z';
  };
  while (alive() && now() < patience) loop_->run_once(10ms);
  EXPECT_FALSE(alive());
}

TEST_F(ProcessTest, a_program_that_does_not_exist_is_named) {
  ProcessRequest request;
  request.argv = {"/nonexistent/check"};
  const ProcessOutcome outcome = run(request);
  EXPECT_EQ(outcome.end, End::not_started);
  EXPECT_EQ(outcome.error,
            "cannot start /nonexistent/check: No such file or directory; see 'ls -l "
            "/nonexistent/check'");
}

TEST_F(ProcessTest, an_empty_command_is_no_crash) {
  EXPECT_EQ(run({}).end, End::not_started);
}

TEST_F(ProcessTest, endless_output_is_bounded_and_does_not_stall_the_program) {
  ProcessRequest request;
  request.argv = {"sh", "-c", "head -c 5000000 /dev/zero; exit 7"};
  request.max_output = 1000;
  const ProcessOutcome outcome = run(request);
  EXPECT_EQ(outcome.code, 7);
  EXPECT_EQ(outcome.output.size(), 1000u);
  EXPECT_TRUE(outcome.truncated);
}

TEST_F(ProcessTest, the_environment_is_ours_with_additions) {
  ProcessRequest request;
  request.argv = {"sh", "-c", "echo $HOTPAIR_ROLE; test -n \"$PATH\""};
  request.environment = {{"HOTPAIR_ROLE", "primary"}};
  const ProcessOutcome outcome = run(request);
  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.output, "primary\n");
}

TEST_F(ProcessTest, a_signal_is_told_from_a_status) {
  const ProcessOutcome outcome = shell("kill -TERM $$");
  EXPECT_EQ(outcome.end, End::signalled);
  EXPECT_EQ(outcome.code, SIGTERM);
}

TEST_F(ProcessTest, signals_we_block_are_not_blocked_in_the_child) {
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, &old);
  EXPECT_EQ(shell("kill -TERM $$; sleep 5").end, End::signalled);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

TEST_F(ProcessTest, a_cancelled_process_makes_no_callback) {
  bool called = false;
  ProcessRequest request;
  request.argv = {"sleep", "300"};
  const ProcessId id = runner_->run(request, [&](const ProcessOutcome&) { called = true; });
  runner_->cancel(id);
  const Instant patience = now() + 10s;
  while (runner_->running() > 0 && now() < patience) loop_->run_once(1s);
  EXPECT_EQ(runner_->running(), 0u);
  EXPECT_FALSE(called);
}

TEST_F(ProcessTest, a_runner_that_goes_takes_its_children_with_it) {
  ProcessRequest request;
  request.argv = {"sleep", "300"};
  runner_->run(request, [](const ProcessOutcome&) { FAIL(); });
  runner_.reset();
  loop_->run_once(0ms);
}

}  // namespace
}  // namespace hotpair::sys
