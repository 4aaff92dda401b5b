// What any host on a data network can send to those who listen for answers: {which u8, packet}.
#include <vector>

#include "platform/linux/neighbour_probe.hpp"
#include "platform/linux/probe_packets.hpp"

using namespace hotpair;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // A copy of exactly that size: what is read past its end is seen.
  const std::vector<std::uint8_t> packet(data + 1, data + size);
  switch (data[0] % 6) {
    case 0:
      (void)sys::arp_answer(packet, {2, 0, 0, 0, 0, 1});
      break;
    case 1:
      (void)sys::neighbour_answer(packet);
      break;
    case 2:
      (void)sys::echo_answer(packet, false);
      break;
    case 3:
      (void)sys::echo_answer(packet, true);
      break;
    case 4:
      (void)sys::parse_arp(packet);
      break;
    default:
      (void)sys::parse_advertisement(packet);
  }
  return 0;
}
