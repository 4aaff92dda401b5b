#include "tools/bench/kernel/surroundings.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

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

Scratch::Scratch(bool keep) : keep_(keep) {
  char name[] = "/tmp/hotpair-bench-XXXXXX";
  if (::mkdtemp(name) != nullptr) path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (keep_)
    std::fprintf(stderr, "kept: %s\n", path_.c_str());
  else if (!path_.empty())
    std::filesystem::remove_all(path_, ignored);
}

ConntrackRoom::ConntrackRoom(std::uint64_t sessions_a_box) {
  constexpr std::int64_t kSpare = 10'000;
  const auto both = static_cast<std::int64_t>(2 * sessions_a_box);
  const std::array<std::int64_t, 2> wanted = {both + kSpare, 2 * both};
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    const auto present = sys::read_sysctl_number(limits_[i].name);
    if (!present.ok() || *present >= wanted[i]) continue;
    if (sys::write_sysctl(limits_[i].name, std::to_string(wanted[i])).ok())
      limits_[i].before = *present;
  }
}

ConntrackRoom::~ConntrackRoom() {
  for (const Limit& limit : limits_)
    if (limit.before != 0) (void)sys::write_sysctl(limit.name, std::to_string(limit.before));
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
