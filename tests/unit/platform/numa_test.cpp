// What /sys tells of NUMA nodes, from a directory that looks like it.
#include "platform/linux/numa.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::sys {
namespace {

class Numa : public ::testing::Test {
 protected:
  void there_is(const std::string& path, const std::string& text = "") const {
    std::filesystem::create_directories(std::filesystem::path(sys_.file(path)).parent_path());
    sys_.write(path, text);
  }
  const std::string& sys() const { return sys_.path(); }

 private:
  test::TemporaryDirectory sys_;
};

TEST_F(Numa, NodesAreToldWithTheirCpusAndTheirFreeHugepagesOfAllSizes) {
  const std::string nodes = "devices/system/node/";
  there_is(nodes + "online", "0-1\n");
  there_is(nodes + "node10/cpu3");
  there_is(nodes + "node10/hugepages/hugepages-2048kB/free_hugepages", "0\n");
  there_is(nodes + "node2/cpu0");
  there_is(nodes + "node2/cpu16");
  there_is(nodes + "node2/cpulist", "0,16\n");
  there_is(nodes + "node2/hugepages/hugepages-2048kB/free_hugepages", "5\n");
  there_is(nodes + "node2/hugepages/hugepages-1048576kB/free_hugepages", "1\n");
  const auto told = numa_nodes(sys());
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].number, 2u);
  EXPECT_EQ(told[0].cpus, (std::set<unsigned>{0, 16}));
  EXPECT_EQ(told[0].free_hugepage_megabytes, 10u + 1024u);
  EXPECT_EQ(told[1].number, 10u);
  EXPECT_EQ(told[1].cpus, std::set<unsigned>{3});
  EXPECT_EQ(told[1].free_hugepage_megabytes, 0u);
}

TEST_F(Numa, AKernelWithoutNodesTellsOfNone) {
  EXPECT_TRUE(numa_nodes(sys()).empty());
}

TEST_F(Numa, ACardIsOnTheNodeThatItsBusIsOnAndMinusOneIsNone) {
  there_is("bus/pci/devices/0000:81:00.0/numa_node", "1\n");
  there_is("bus/pci/devices/0000:00:05.0/numa_node", "-1\n");
  there_is("bus/pci/devices/0000:00:06.0/numa_node", "many\n");
  EXPECT_EQ(numa_node_of_pci("0000:81:00.0", sys()), 1u);
  EXPECT_EQ(numa_node_of_pci("0000:00:05.0", sys()), std::nullopt);
  EXPECT_EQ(numa_node_of_pci("0000:00:06.0", sys()), std::nullopt);
  EXPECT_EQ(numa_node_of_pci("0000:99:00.0", sys()), std::nullopt);
}

// The device of a virtio NIC is on the card, and the node is told of the card.
TEST_F(Numa, AnInterfaceIsOnTheNodeOfItsCard) {
  there_is("devices/pci/0000:81:00.0/numa_node", "1\n");
  there_is("devices/pci/0000:81:00.0/virtio3/vendor", "0x1af4\n");
  there_is("class/net/eth0/address");
  there_is("class/net/eth1/address");
  there_is("class/net/veth0/address");
  std::filesystem::create_symlink("../../../devices/pci/0000:81:00.0",
                                  sys() + "/class/net/eth0/device");
  std::filesystem::create_symlink("../../../devices/pci/0000:81:00.0/virtio3",
                                  sys() + "/class/net/eth1/device");
  EXPECT_EQ(numa_node_of_interface("eth0", sys()), 1u);
  EXPECT_EQ(numa_node_of_interface("eth1", sys()), 1u);
  EXPECT_EQ(numa_node_of_interface("veth0", sys()), std::nullopt);
}

}  // namespace
}  // namespace hotpair::sys
