// What a session-sync device is, by its words.
#include "platform/base/dpdk_device.hpp"

#include <gtest/gtest.h>

namespace hotpair {
namespace {

TEST(DpdkDeviceTest, a_card_is_known_by_its_whole_address_however_it_is_written) {
  for (const char* words : {"0000:3b:00.1", "3b:00.1", "3B:00.1", "3b:00.1,rx_vec=0"})
    EXPECT_EQ(pci_address_of(words), "0000:3b:00.1") << words;
  EXPECT_EQ(pci_address_of("0001:3b:00.7"), "0001:3b:00.7");
}

TEST(DpdkDeviceTest, what_is_not_a_cards_address_has_none) {
  for (const char* words : {"", "3b:00.8", "3b:00", "3b.00:1", "g0:00.1", "00000:3b:00.1",
                            ",3b:00.1", "net_af_packet0,iface=3b:00.1"})
    EXPECT_EQ(pci_address_of(words), std::nullopt) << words;
}

TEST(DpdkDeviceTest, a_driver_over_a_kernel_interface_names_it) {
  EXPECT_EQ(kernel_interface_of("net_af_packet0,iface=eth5"), "eth5");
  EXPECT_EQ(kernel_interface_of("net_af_xdp0,start_queue=1,iface=eth5,queue_count=1"), "eth5");
  for (const char* words : {"", "net_memif0", "0000:3b:00.1", "net_af_packet0,iface="})
    EXPECT_EQ(kernel_interface_of(words), "") << words;
}

}  // namespace
}  // namespace hotpair
