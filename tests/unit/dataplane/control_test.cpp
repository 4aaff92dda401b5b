// The messages between the agent and the data plane.
#include "dataplane/core/control.hpp"

#include <gtest/gtest.h>

namespace hotpair::dataplane::control {
namespace {

std::vector<ToDataplane> all_to_dataplane() {
  SetKeys keys;
  keys.tx_key.fill(1);
  keys.rx_key.fill(2);
  keys.tx_key_id = 3;
  keys.rx_key_id = 4;
  return {Welcome{1, 2, 1023}, SetRole{7, Role::primary, 1ull << 40}, Drain{9}, keys,
          SendRelay{{1, 2, 3}}};
}
std::vector<ToAgent> all_to_agent() {
  Hello hello;
  hello.nonce.fill(5);
  State state;
  state.role = Role::backup;
  state.epoch = 12;
  state.in_sync = state.peer_heard = true;
  state.sessions = 1'000'000;
  state.lag_sessions = 3;
  state.lag_us = 250;
  return {hello, Done{7, false, "the kernel refused"}, RelayReceived{123, {9, 9}}, state};
}

TEST(ControlSocket, EveryMessageIsReadBackAsItWasWritten) {
  for (const ToDataplane& message : all_to_dataplane()) {
    const auto bytes = encode(message);
    const auto back = decode_to_dataplane(bytes);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->index(), message.index());
    EXPECT_EQ(encode(*back), bytes);
  }
  for (const ToAgent& message : all_to_agent()) {
    const auto bytes = encode(message);
    const auto back = decode_to_agent(bytes);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->index(), message.index());
    EXPECT_EQ(encode(*back), bytes);
  }
}

// A relay and an error text end where the datagram ends; everything else has one length.
bool ends_with_the_datagram(std::uint8_t type) {
  return type == 5 || type == 66 || type == 67;
}

TEST(ControlSocket, MessagesTooShortOrTooLongAreRefusedWithASentenceAboutVersions) {
  for (const ToDataplane& message : all_to_dataplane()) {
    auto bytes = encode(message);
    if (ends_with_the_datagram(bytes[0])) continue;
    for (std::size_t cut = 0; cut < bytes.size(); ++cut)
      EXPECT_FALSE(decode_to_dataplane(Bytes(bytes).first(cut)).ok());
    bytes.push_back(0);
    const auto back = decode_to_dataplane(bytes);
    ASSERT_FALSE(back.ok());
    EXPECT_NE(back.error().message.find("same version"), std::string::npos);
  }
  for (const ToAgent& message : all_to_agent()) {
    auto bytes = encode(message);
    if (ends_with_the_datagram(bytes[0])) continue;
    bytes.push_back(0);
    EXPECT_FALSE(decode_to_agent(bytes).ok());
  }
}

TEST(ControlSocket, AnOverlongErrorTextIsCutAndAnOverlongRelayIsNotCarried) {
  const auto done = decode_to_agent(encode(ToAgent(Done{1, false, std::string(9000, 'x')})));
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(std::get<Done>(*done).error.size(), 512u);
  const auto bytes = encode(ToDataplane(SendRelay{std::vector<std::uint8_t>(9000)}));
  EXPECT_LE(bytes.size(), kMaxMessage);
  EXPECT_FALSE(decode_to_dataplane(bytes).ok());
}

TEST(ControlSocket, UnknownRolesAndTypesAreRefused) {
  auto bytes = encode(ToDataplane(SetRole{1, Role::primary, 1}));
  bytes[5] = 3;
  EXPECT_FALSE(decode_to_dataplane(bytes).ok());
  EXPECT_FALSE(decode_to_dataplane(encode(ToAgent(Hello{}))).ok());
  EXPECT_FALSE(decode_to_agent({}).ok());
}

}  // namespace
}  // namespace hotpair::dataplane::control
