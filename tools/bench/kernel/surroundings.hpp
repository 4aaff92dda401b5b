// What the commands that run other programs need of the machine.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "tools/bench/kernel/aftermath.hpp"

namespace hotpair::bench::kernel {

// The hotpair-dataplane beside the installed hotpair-bench, or of the build folder this one was
// built in; else the name, to be looked up.
std::string find_dataplane();

// A directory for configurations, sockets and logs, gone with this process unless it is to be kept.
class Scratch {
 public:
  explicit Scratch(bool keep);
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  const std::string& path() const { return path_; }

 private:
  bool keep_;
  std::string path_;
  std::optional<Aftermath> aftermath_;
};

// Room for the tables of both boxes in the kernel's, which is one: raised as long as this lives, a
// bucket for each of a session's two tuples, and put back however it ends. What cannot be set is
// left as it is.
class ConntrackRoom {
 public:
  explicit ConntrackRoom(std::uint64_t sessions_a_box);
  ConntrackRoom(const ConntrackRoom&) = delete;
  ConntrackRoom& operator=(const ConntrackRoom&) = delete;

 private:
  struct Limit {
    const char* name;
    std::int64_t before = 0;  // 0: it is not raised
  };
  std::array<Limit, 2> limits_{Limit{"net/netfilter/nf_conntrack_max"},
                               Limit{"net/netfilter/nf_conntrack_buckets"}};
  std::optional<Aftermath> aftermath_;
};

// Where --json said: a file, - for standard output, nothing when empty. False when it failed.
bool write_report(const std::string& path, const std::string& json);

}  // namespace hotpair::bench::kernel
