#include "platform/linux/numa.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "platform/base/dpdk_device.hpp"
#include "platform/linux/files.hpp"

namespace hotpair::sys {

namespace {

namespace fs = std::filesystem;

// "node12" after "node"; what has anything else behind the number is something else.
std::optional<unsigned> number_after(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error))
    out.push_back(entry->path().filename().string());
  return out;
}

std::optional<long> number_in(const std::string& path) {
  const auto content = read_file(path, 64);
  if (!content.ok()) return std::nullopt;
  long number = 0;
  const char* begin = content->text.data();
  if (std::from_chars(begin, begin + content->text.size(), number).ec != std::errc{})
    return std::nullopt;
  return number;
}

std::size_t free_megabytes(const std::string& node_directory) {
  std::size_t kilobytes = 0;
  const std::string pools = node_directory + "/hugepages";
  for (const std::string& pool : names_in(pools)) {
    const auto page = number_after("hugepages-", pool.substr(0, pool.rfind("kB")));
    const auto free = number_in(pools + "/" + pool + "/free_hugepages");
    if (page && free && *free > 0)
      kilobytes += std::size_t{*page} * static_cast<std::size_t>(*free);
  }
  return kilobytes >> 10;
}

std::optional<unsigned> node_in(const std::string& path) {
  const auto number = number_in(path);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<unsigned>(*number);
}

}  // namespace

std::vector<NumaNode> numa_nodes(const std::string& sysfs) {
  std::vector<NumaNode> out;
  const std::string directory = sysfs + "/devices/system/node";
  for (const std::string& name : names_in(directory)) {
    const auto number = number_after("node", name);
    if (!number) continue;
    NumaNode node;
    node.number = *number;
    for (const std::string& entry : names_in(directory + "/" + name))
      if (const auto cpu = number_after("cpu", entry)) node.cpus.insert(*cpu);
    node.free_hugepage_megabytes = free_megabytes(directory + "/" + name);
    out.push_back(std::move(node));
  }
  std::sort(out.begin(), out.end(),
            [](const NumaNode& a, const NumaNode& b) { return a.number < b.number; });
  return out;
}

std::optional<unsigned> numa_node_of_pci(const std::string& full_address,
                                         const std::string& sysfs) {
  return node_in(sysfs + "/bus/pci/devices/" + full_address + "/numa_node");
}

// A virtio NIC's device is not the card itself: the kernel tells the node of either.
std::optional<unsigned> numa_node_of_interface(const std::string& name, const std::string& sysfs) {
  const std::string device = sysfs + "/class/net/" + name + "/device";
  const auto own = node_in(device + "/numa_node");
  return own ? own : node_in(device + "/../numa_node");
}

std::optional<unsigned> numa_node_of_device(const std::string& device) {
  if (const auto address = pci_address_of(device)) return numa_node_of_pci(*address);
  const std::string interface = kernel_interface_of(device);
  return interface.empty() ? std::nullopt : numa_node_of_interface(interface);
}

const NumaNode* numa_node_of_cpu(const std::vector<NumaNode>& nodes, unsigned cpu) {
  const auto found = std::find_if(nodes.begin(), nodes.end(),
                                  [cpu](const NumaNode& node) { return node.cpus.contains(cpu); });
  return found == nodes.end() ? nullptr : &*found;
}

std::string reserve_hugepages_command(unsigned node) {
  return "echo 64 > /sys/devices/system/node/node" + std::to_string(node) +
         "/hugepages/hugepages-2048kB/nr_hugepages";
}

}  // namespace hotpair::sys
