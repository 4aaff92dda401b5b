#include "tools/bench/kernel/surroundings.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "platform/linux/sysctl.hpp"

namespace hotpair::bench::kernel {

std::string find_dataplane() {
  std::error_code unknown;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
  for (const auto& place :
       {own / "../sbin/hotpair-dataplane", own / "../../dataplane/dpdk/hotpair-dataplane"})
    if (std::filesystem::exists(place)) return std::filesystem::canonical(place).string();
  return "hotpair-dataplane";
}

namespace {

// Programs that are being killed may still write into it.
void remove_for_good(const std::string& path) {
  std::error_code why;
  for (int attempt = 0; attempt < 20; ++attempt) {
    std::filesystem::remove_all(path, why);
    if (!why) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

Scratch::Scratch(bool keep) : keep_(keep) {
  char name[] = "/tmp/hotpair-bench-XXXXXX";
  if (::mkdtemp(name) == nullptr) return;
  path_ = name;
  if (!keep_) aftermath_.emplace([path = path_] { remove_for_good(path); });
}

Scratch::~Scratch() {
  if (keep_) std::fprintf(stderr, "kept: %s\n", path_.c_str());
}

ConntrackRoom::ConntrackRoom(std::uint64_t sessions_a_box) {
  constexpr std::int64_t kSpare = 10'000;
  const auto both = static_cast<std::int64_t>(2 * sessions_a_box);
  const std::array<std::int64_t, 2> wanted = {both + kSpare, 2 * both};
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    const auto present = sys::read_sysctl_number(limits_[i].name);
    if (present.ok() && *present < wanted[i]) limits_[i].before = *present;
  }
  aftermath_.emplace([limits = limits_] {
    for (const Limit& limit : limits)
      if (limit.before != 0) (void)sys::write_sysctl(limit.name, std::to_string(limit.before));
  });
  for (std::size_t i = 0; i < limits_.size(); ++i)
    if (limits_[i].before != 0) (void)sys::write_sysctl(limits_[i].name, std::to_string(wanted[i]));
}

bool write_report(const std::string& path, const std::string& json) {
  if (path.empty()) return true;
  const std::string text = json + "\n";
  if (path == "-") return std::fputs(text.c_str(), stdout) >= 0;
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) std::fprintf(stderr, "hotpair-bench: cannot write %s\n", path.c_str());
  return static_cast<bool>(file);
}

}  // namespace hotpair::bench::kernel
