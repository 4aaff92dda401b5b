// sim --seed 7 [--verbose]      one run and its story
// sim --seeds 10000 [--from N]  as many runs; prints the command that repeats each that failed
//     --facts                   and in how many of them each fault occurred; fails if one never did
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "tests/sim/swarm.hpp"

namespace {

struct Arguments {
  std::uint64_t from = 1, seeds = 1;
  bool verbose = false, facts = false, valid = true;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const bool more = i + 1 < argc;
    if (std::strcmp(argv[i], "--verbose") == 0)
      arguments.verbose = true;
    else if (std::strcmp(argv[i], "--facts") == 0)
      arguments.facts = true;
    else if (more && (std::strcmp(argv[i], "--seed") == 0 || std::strcmp(argv[i], "--from") == 0))
      arguments.from = std::strtoull(argv[++i], nullptr, 10);
    else if (more && std::strcmp(argv[i], "--seeds") == 0)
      arguments.seeds = std::strtoull(argv[++i], nullptr, 10);
    else
      arguments.valid = false;
  }
  return arguments;
}

using Tally = std::array<std::uint64_t, hotpair::simulation::kFacts>;

// False: something that the swarm claims to try never occurred.
bool print(const Tally& tally) {
  bool all = true;
  std::printf("in how many of them:\n");
  for (std::size_t fact = 0; fact < tally.size(); ++fact) {
    std::printf("%10llu  %s\n", static_cast<unsigned long long>(tally[fact]),
                hotpair::simulation::kFactNames[fact].data());
    all = all && tally[fact] != 0;
  }
  if (!all) std::printf("one of them never occurred: the swarm does not try what it should\n");
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  if (!arguments.valid) {
    std::fprintf(stderr, "usage: sim --seed S [--verbose] | --seeds N [--from S] [--facts]\n");
    return 2;
  }
  unsigned failed = 0;
  std::uint64_t takeovers = 0;
  Tally tally{};
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    const std::uint64_t seed = arguments.from + i;
    const auto result = hotpair::simulation::run_seed(seed, arguments.verbose);
    takeovers += result.takeovers;
    for (std::size_t fact = 0; fact < tally.size(); ++fact) tally[fact] += result.facts[fact];
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
  if (arguments.facts && !print(tally)) return 1;
  return failed == 0 ? 0 : 1;
}
