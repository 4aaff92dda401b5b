// Packets of IPv4 connections that pass one box's connection tracking as a firewall's traffic does,
// and so make entries without asking ctnetlink, of which the kernel takes one request at a time in
// all namespaces. A raw socket sends them, of either direction; nftables drops what leaves.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "tools/bench/kernel/two_boxes.hpp"

namespace hotpair::bench::kernel {

class PacketTraffic {
 public:
  // Makes that box route, track and drop what is sent; once a box.
  static Status prepare(const TwoBoxes& boxes, int box);
  // Of a prepared box.
  static Result<PacketTraffic> open(const TwoBoxes& boxes, int box);

  // The first packet of a connection of its own for each number: TCP and UDP in turn.
  void begin(std::uint32_t number);
  // Packet `step` of a whole short TCP connection: SYN, SYN+ACK, ACK, a few bytes either way, FIN,
  // FIN, ACK.
  void tcp(std::uint32_t number, unsigned step);
  static constexpr unsigned kSteps = 8;
  // Below 2^27: the clients are those of 100.96.0.0/11, with 32,768 ports each.
  static constexpr std::uint32_t kMostNumbers = 1u << 27;

  void flush();
  // What went wrong so far.
  const Status& outcome() const { return outcome_; }

 private:
  static constexpr std::size_t kBatch = 64;  // packets a system call
  struct Batch;
  explicit PacketTraffic(sys::FileDescriptor socket);
  void add(std::uint32_t number, std::uint8_t protocol, unsigned step);

  sys::FileDescriptor socket_;
  std::shared_ptr<Batch> batch_;  // the kernel is given pointers into it
  Status outcome_ = Ok{};
};

// The key of what tcp() sends: of none of the synthetic sessions.
struct PacketFlow {
  std::uint32_t client = 0, server = 0;
  std::uint16_t client_port = 0, server_port = 0;
};
PacketFlow flow_of(std::uint32_t number, std::uint8_t protocol);

}  // namespace hotpair::bench::kernel
