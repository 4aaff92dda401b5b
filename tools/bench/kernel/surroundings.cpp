#include "tools/bench/kernel/surroundings.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

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
