#include "dataplane/dpdk/eal.hpp"

#include <cstdio>
#include <cstdlib>
#include <regex>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "dataplane/dpdk/node_memory.hpp"
#include "platform/linux/files.hpp"
#include "platform/linux/numa.hpp"
#include "platform/linux/scheduling.hpp"

namespace hotpair::dpdk {

namespace {

// Where DPDK's lines go. Process-wide, as DPDK's log itself is.
struct EalLog {
  Log log;
  std::string partial, last;
};
EalLog& eal_log() {
  static EalLog instance;
  return instance;
}

ssize_t take_log_bytes(void*, const char* text, std::size_t size) {
  EalLog& state = eal_log();
  for (std::size_t i = 0; i < size; ++i) {
    if (text[i] != '\n') {
      if (state.partial.size() < 400) state.partial.push_back(text[i]);
      continue;
    }
    if (!state.partial.empty()) {
      state.log.debug("dpdk", state.partial);
      state.last = state.partial;
    }
    state.partial.clear();
  }
  return static_cast<ssize_t>(size);
}

void route_log(const Log& log) {
  eal_log().log = log;
  cookie_io_functions_t functions{};
  functions.write = take_log_bytes;
  std::FILE* stream = fopencookie(nullptr, "w", functions);
  if (stream == nullptr) return;
  std::setvbuf(stream, nullptr, _IOLBF, 512);
  rte_openlog_stream(stream);
}

// One lcore on one CPU: the configured one, else the last. The agent keeps off it, because a dump
// of the kernel's table holds its CPU for as long as the walk over the hash takes
// (ctnetlink_dump_table runs with softirqs off: 50 ms for 262,144 buckets on a small machine),
// which is longer than a peer waits.
unsigned lcore_cpu(const std::vector<unsigned>& lcores) {
  return lcores.empty() ? sys::last_of_several_cpus().value_or(0) : lcores.front();
}

// True unless the kernel certainly has no hugepage to give.
bool hugepages_exist() {
  const auto info = sys::read_file("/proc/meminfo", 64 << 10);
  if (!info.ok()) return true;
  return !std::regex_search(info->text, std::regex(R"(HugePages_Total:\s+0\b)"));
}

// Ordinary pages have no node before they are touched.
Result<std::vector<std::string>> memory_of(const EalOptions& options, unsigned cpu) {
  return memory_words(options.hugepages ? sys::numa_nodes() : std::vector<sys::NumaNode>{}, cpu,
                      options.port_nodes);
}

std::vector<std::string> arguments(const EalOptions& options, unsigned cpu,
                                   const std::vector<std::string>& memory) {
  std::vector<std::string> out = {"hotpair-dataplane", "--no-telemetry",
                                  "--lcores=0@" + std::to_string(cpu),
                                  "--file-prefix=" + options.file_prefix, "--log-level=lib.eal:5"};
  out.insert(out.end(), memory.begin(), memory.end());
  if (options.hugepages) {
    out.push_back("--in-memory");
  } else {
    out.insert(out.end(), {"--no-huge", "--no-shconf"});
  }
  if (options.pci_devices.empty()) out.push_back("--no-pci");
  for (const std::string& device : options.pci_devices) out.insert(out.end(), {"-a", device});
  return out;
}

}  // namespace

std::string last_eal_words() {
  return eal_log().last;
}

Status start_eal(const EalOptions& options, const Log& log) {
  if (options.hugepages && !hugepages_exist())
    return fail_with(
        "session_sync.hugepages is true and the system has no hugepages; reserve some with "
        "'sysctl -w vm.nr_hugepages=64', or set hugepages: false in node.yaml");
  const unsigned cpu = lcore_cpu(options.lcores);
  const auto memory = memory_of(options, cpu);
  if (!memory.ok()) return fail(memory.error());
  route_log(log);
  std::vector<std::string> words = arguments(options, cpu, *memory);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) >= 0) return Ok{};

  std::string what = "DPDK does not start: ";
  what += last_eal_words().empty() ? rte_strerror(rte_errno) : last_eal_words();
  if (rte_errno == EACCES || rte_errno == EPERM)
    what += "; run hotpair-dataplane as root or with the capabilities of its unit file";
  else if (options.hugepages)
    what += "; see 'grep Huge /proc/meminfo', or set session_sync.hugepages: false";
  return fail_with(what);
}

void stop_eal() {
  (void)rte_eal_cleanup();
}

}  // namespace hotpair::dpdk
