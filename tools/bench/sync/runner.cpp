#include "tools/bench/sync/runner.hpp"

#include <cstdio>
#include <memory>
#include <thread>

#include <unistd.h>

#include "dataplane/dpdk/eal.hpp"
#include "platform/base/dpdk_device.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"
#include "tools/bench/sync/backup_end.hpp"
#include "tools/bench/sync/port_link.hpp"
#include "tools/bench/sync/primary_end.hpp"
#include "tools/bench/sync/ring_link.hpp"

namespace hotpair::bench::sync {

namespace {

constexpr dpdk::Mac kPrimaryMac = {2, 0, 0, 0, 0, 1}, kBackupMac = {2, 0, 0, 0, 0, 2};

struct Links {
  std::unique_ptr<FrameRing> forth, back;
  std::unique_ptr<FrameLink> primary, backup;
  dpdk::Mac primary_mac = kPrimaryMac, backup_mac = kBackupMac;
};

Links ring_links(const Options& options) {
  Links links;
  const Faults faults{options.loss_percent, options.reorder_percent};
  links.forth = std::make_unique<FrameRing>(options.credit, options.frame, faults, options.seed);
  links.back = std::make_unique<FrameRing>(options.credit, options.frame, faults, options.seed + 1);
  links.primary = std::make_unique<RingLink>(*links.forth, *links.back);
  links.backup = std::make_unique<RingLink>(*links.back, *links.forth);
  return links;
}

Result<Links> port_links(const Options& options) {
  dpdk::EalOptions eal;
  eal.hugepages = false;
  eal.port_nodes.resize(options.ends == Ends::both ? 2 : 1);
  eal.file_prefix = "hotpair-bench-" + std::to_string(getpid());
  if (pci_address_of(options.device)) eal.pci_devices.push_back(options.device);
  if (Status started = dpdk::start_eal(eal, Log{}); !started.ok()) return fail(started.error());
  Links links;
  const auto open = [](const std::string& device, dpdk::Mac& mac) {
    auto link = PortLink::open(device);
    if (link.ok()) mac = (*link)->mac();
    return link;
  };
  if (options.ends != Ends::backup) {
    auto link = open(options.device, links.primary_mac);
    if (!link.ok()) return fail(link.error());
    links.primary = std::move(*link);
  }
  if (options.ends != Ends::primary) {
    auto link =
        open(options.ends == Ends::both ? options.peer_device : options.device, links.backup_mac);
    if (!link.ok()) return fail(link.error());
    links.backup = std::move(*link);
  }
  return links;
}

// Each end has a CPU to itself where there are two: that is how the figures are meant.
void pin_to(unsigned cpu, bool wanted) {
  if (wanted && std::thread::hardware_concurrency() >= 2) (void)sys::run_on_cpu(cpu);
}

class Progress {
 public:
  Progress() : terminal_(isatty(STDERR_FILENO) == 1) {}
  void operator()(const std::string& phase, double part) {
    if (!terminal_ || ++calls_ % 1024 != 0) return;
    const Instant now = sys::now();
    if (now < next_) return;
    next_ = now + 200ms;
    std::fprintf(stderr, "\r%-8s %3.0f %%  ", phase.c_str(), 100 * part);
  }
  ~Progress() {
    if (terminal_ && next_ != Instant{}) std::fputs("\r                \r", stderr);
  }

 private:
  bool terminal_;
  std::uint64_t calls_ = 0;
  Instant next_{};
};

void take_backup(const BackupEnd& backup, Outcome& result) {
  result.receiver_series = backup.series();
  result.sessions_backup = backup.engine().table().size();
  result.bytes_a_session_backup = backup.bytes_a_session();
  if (result.phases.empty()) result.phases.emplace_back().name = "all";
  for (std::size_t i = 0; i < backup.phases().size() && i < result.phases.size(); ++i) {
    result.phases[i].receiver = backup.phases()[i].stages;
    result.phases[i].latencies = backup.phases()[i].latencies;
    result.phases[i].applied = backup.phases()[i].applied;
  }
}

void run_primary(const Options& options, Links& links, BackupEnd* backup, Instant began,
                 Outcome& result) {
  pin_to(0, options.pin);
  PrimaryEnd primary(options, *links.primary, links.primary_mac);
  Progress progress;
  Watcher watcher;
  watcher.phase_begins = [backup] {
    if (backup != nullptr) backup->next_phase();
  };
  watcher.progress = [&](const std::string& phase, double part) { progress(phase, part); };
  result.failure = primary.run(began, result, watcher);
  result.sessions_primary = primary.engine().table().size();
}

}  // namespace

Result<Outcome> run(const Options& options) {
  Links links;
  if (options.device.empty()) {
    links = ring_links(options);
  } else {
    auto opened = port_links(options);
    if (!opened.ok()) return fail(opened.error());
    links = std::move(*opened);
  }
  Outcome result;
  result.frame = (links.primary ? links.primary : links.backup)->max_frame();
  const Instant began = sys::now();
  std::unique_ptr<BackupEnd> backup;
  if (links.backup) backup = std::make_unique<BackupEnd>(options, *links.backup, links.backup_mac);
  if (!links.primary) {
    backup->next_phase();
    backup->run(began, nullptr);
    take_backup(*backup, result);
    return result;
  }
  std::atomic<bool> stop{false};
  std::thread other;
  if (backup)
    other = std::thread([&] {
      pin_to(1, options.pin);
      backup->run(began, &stop);
    });
  run_primary(options, links, backup.get(), began, result);
  stop = true;
  if (other.joinable()) other.join();
  if (backup) take_backup(*backup, result);
  return result;
}

}  // namespace hotpair::bench::sync
