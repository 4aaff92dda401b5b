#include "agent/daemon/config_command.hpp"

#include <optional>

#include "platform/linux/process.hpp"

namespace hotpair::daemon {
namespace {

constexpr std::size_t kMaxShown = 600, kMaxOutput = 64u << 10;
constexpr Duration kLookForStop = 100ms;

Result<sys::ProcessOutcome> run(std::vector<std::string> argv, Duration timeout,
                                const std::atomic<bool>& stopping,
                                std::size_t max_output = kMaxOutput) {
  auto loop = sys::EventLoop::create();
  if (!loop) return fail(loop.error());
  sys::ProcessRunner runner(**loop);
  sys::ProcessRequest request;
  request.argv = std::move(argv);
  request.timeout = timeout;
  request.max_output = max_output;
  std::optional<sys::ProcessOutcome> ended;
  runner.run(std::move(request), [&](const sys::ProcessOutcome& outcome) { ended = outcome; });
  while (!ended && !stopping) (void)(*loop)->run_once(kLookForStop);
  if (!ended) return fail_with("it was ended with hotpaird");
  return *ended;
}

Failure<Error> failure_of(const sys::ProcessOutcome& ended) {
  std::string said = ended.output.substr(0, kMaxShown);
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return fail_with(ended.error + (said.empty() ? "" : ": " + said));
}

}  // namespace

Status run_command_to_end(std::vector<std::string> argv, Duration timeout,
                          const std::atomic<bool>& stopping) {
  const auto ended = run(std::move(argv), timeout, stopping);
  if (!ended) return fail(ended.error());
  if (ended->ok()) return Ok{};
  return failure_of(*ended);
}

Result<std::string> output_of_command(std::vector<std::string> argv, Duration timeout,
                                      const std::atomic<bool>& stopping) {
  const auto ended = run(std::move(argv), timeout, stopping);
  if (!ended) return fail(ended.error());
  if (ended->end != sys::ProcessOutcome::End::exited) return fail_with(ended->error);
  return ended->output;
}

Result<std::string> listing_of_command(std::vector<std::string> argv, Duration timeout,
                                       std::size_t most, const std::atomic<bool>& stopping) {
  const std::string program = argv.front();
  auto ended = run(std::move(argv), timeout, stopping, most);
  if (!ended) return fail(ended.error());
  if (!ended->ok()) return failure_of(*ended);
  if (ended->truncated)
    return fail_with("'" + program + "' prints more than " + std::to_string(most >> 20) + " MiB");
  return std::move(ended->output);
}

}  // namespace hotpair::daemon
