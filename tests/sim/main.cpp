// sim --seed 7 [--verbose]      one run and its story
// sim --seeds 10000 [--from N]  as many runs; prints the command that repeats each that failed
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "tests/sim/swarm.hpp"

namespace {

struct Arguments {
  std::uint64_t from = 1, seeds = 1;
  bool verbose = false, valid = true;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const bool more = i + 1 < argc;
    if (std::strcmp(argv[i], "--verbose") == 0)
      arguments.verbose = true;
    else if (more && (std::strcmp(argv[i], "--seed") == 0 || std::strcmp(argv[i], "--from") == 0))
      arguments.from = std::strtoull(argv[++i], nullptr, 10);
    else if (more && std::strcmp(argv[i], "--seeds") == 0)
      arguments.seeds = std::strtoull(argv[++i], nullptr, 10);
    else
      arguments.valid = false;
  }
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  if (!arguments.valid) {
    std::fprintf(stderr, "usage: sim --seed S [--verbose] | --seeds N [--from S]\n");
    return 2;
  }
  unsigned failed = 0;
  std::uint64_t takeovers = 0;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    const std::uint64_t seed = arguments.from + i;
    const auto result = hotpair::simulation::run_seed(seed, arguments.verbose);
    takeovers += result.takeovers;
    if (result.violation.empty()) continue;
    ++failed;
    std::printf("seed %llu: %s\n  repeat with: sim --seed %llu --verbose\n",
                static_cast<unsigned long long>(seed), result.violation.c_str(),
                static_cast<unsigned long long>(seed));
    std::fflush(stdout);
  }
  std::printf("%llu seeds, %u failed, %llu takeovers\n",
              static_cast<unsigned long long>(arguments.seeds), failed,
              static_cast<unsigned long long>(takeovers));
  return failed == 0 ? 0 : 1;
}
