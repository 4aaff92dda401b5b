// Two conntrackd, one box each, reliable (FTFW) and hot (the external cache is the kernel's table),
// with buffers as large as its manual advises for a busy firewall.
#include <filesystem>
#include <fstream>
#include <utility>

#include "tools/bench/kernel/replicator.hpp"

namespace hotpair::bench::kernel {
namespace {

std::string configuration(const std::string& directory, const char* own, const char* peer) {
  return std::string(
             "Sync {\n  Mode FTFW {\n    DisableExternalCache On\n"
             "    ResendQueueSize 1048576\n  }\n  UDP {\n    IPv4_address ") +
         own + "\n    IPv4_Destination_Address " + peer + "\n    Port 3780\n    Interface " +
         TwoBoxes::kDevice +
         "\n    SndSocketBuffer 33554432\n    RcvSocketBuffer 33554432\n    Checksum On\n  }\n}\n"
         "General {\n  HashSize 262144\n  HashLimit 16777216\n  LogFile Off\n  Syslog Off\n"
         "  LockFile " +
         directory + "/lock\n  UNIX { Path " + directory +
         "/ctl }\n  NetlinkBufferSize 16777216\n  NetlinkBufferSizeMaxGrowth 67108864\n"
         "  NetlinkOverrunResync 5\n  NetlinkEventsReliable Off\n"
         "  Filter From Userspace {\n    Protocol Accept { TCP UDP }\n  }\n}\n";
}

class ConntrackdPair final : public Replicator {
 public:
  ConntrackdPair(Program primary, Program backup, std::string directory)
      : ends_{std::move(primary), std::move(backup)}, directory_(std::move(directory)) {}

  Status work() override {
    for (Program& end : ends_)
      if (!end.running())
        return fail_with(
            "conntrackd is not installed, or ended; see 'apt install conntrackd', or with --keep "
            "what 'conntrackd -C " +
            directory_ + "1/conf' says");
    return Ok{};
  }
  bool ready() override {
    return std::filesystem::exists(directory_ + "1/ctl") &&
           std::filesystem::exists(directory_ + "2/ctl");
  }
  using Replicator::cpu_seconds;
  double cpu_seconds(int end) const override {
    return ends_[static_cast<std::size_t>(end)].cpu_seconds();
  }

 private:
  std::array<Program, 2> ends_;
  std::string directory_;
};

Result<Program> start_end(const TwoBoxes& boxes, int box, const std::string& directory) {
  std::filesystem::create_directories(directory);
  std::ofstream file(directory + "/conf");
  const auto own = static_cast<std::size_t>(box);
  file << configuration(directory, TwoBoxes::kAddresses[own], TwoBoxes::kAddresses[1 - own]);
  file.close();
  if (!file) return fail_with("cannot write " + directory + "/conf");
  return Program::start(boxes, box, {"conntrackd", "-C", directory + "/conf"}, directory + "/log");
}

}  // namespace

Result<std::unique_ptr<Replicator>> start_conntrackd(const TwoBoxes& boxes,
                                                     const std::string& directory) {
  const std::string stem = directory + "/conntrackd";
  auto primary = start_end(boxes, 0, stem + "1");
  if (!primary.ok()) return fail(primary.error());
  auto backup = start_end(boxes, 1, stem + "2");
  if (!backup.ok()) return fail(backup.error());
  return std::unique_ptr<Replicator>(std::make_unique<ConntrackdPair>(
      std::move(primary).value(), std::move(backup).value(), stem));
}

}  // namespace hotpair::bench::kernel
