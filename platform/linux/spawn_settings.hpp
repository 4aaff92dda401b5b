// What posix_spawn() is told of a program to be started: settings, owned and given back; arguments
// and environment.
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include <spawn.h>

namespace hotpair::sys {

// As execve() takes them, as long as the texts live and stay as they are.
inline std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct SpawnSettings {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;

  SpawnSettings() {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&files);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
  }

  // Signals as a program expects them at its start; `flags` of posix_spawnattr_setflags() besides.
  void usual_signals(int flags) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    set_flags(flags | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  // None comes before the program has seen to what they do.
  void no_signals() {
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &all);
    set_flags(POSIX_SPAWN_SETSIGMASK);
  }
  void use(int fd, int place) { posix_spawn_file_actions_adddup2(&files, fd, place); }
  void open(int place, const char* path, int how) {
    posix_spawn_file_actions_addopen(&files, place, path, how, 0);
  }

 private:
  void set_flags(int flags) { posix_spawnattr_setflags(&attributes, static_cast<short>(flags)); }
};

}  // namespace hotpair::sys
