#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/daemon/addresses.hpp"
#include "agent/daemon/announcements.hpp"

namespace hotpair::daemon {
namespace {

using sys::AddressOperation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

FloatingAddress floating(const std::string& device, const std::string& text) {
  const auto prefix = sys::parse_ip_prefix(text);
  FloatingAddress address;
  address.interface = address.device = device;
  address.address = {prefix->address.ipv6, prefix->address.bytes, prefix->length, text};
  return address;
}

std::string text_of(const AddressOperation& operation) {
  static const std::map<AddressOperation::What, std::string> kNames{
      {AddressOperation::What::add_address, "+"},
      {AddressOperation::What::delete_address, "-"},
      {AddressOperation::What::add_route, "+route "},
      {AddressOperation::What::delete_route, "-route "},
      {AddressOperation::What::link_up, "up "},
      {AddressOperation::What::link_down, "down "},
      {AddressOperation::What::delete_link, "delete "}};
  if (operation.what >= AddressOperation::What::link_up)
    return kNames.at(operation.what) + std::to_string(operation.address.ifindex);
  return kNames.at(operation.what) + sys::to_text(operation.address.prefix) + "@" +
         std::to_string(operation.address.ifindex);
}

// Records what would be asked of the kernel and answers at once.
class AddressesTest : public testing::Test {
 protected:
  AddressesTest() {
    plan_.addresses = {floating("lan", "192.0.2.1/24"), floating("wan", "198.51.100.1/32")};
    loop_ = std::move(sys::EventLoop::create()).value();
    const Apply apply = [this](std::vector<AddressOperation> operations, const ApplyDone& done) {
      std::vector<sys::OperationResult> results;
      for (const auto& operation : operations) {
        asked_.push_back(text_of(operation));
        results.push_back({!failing_, !failing_ && changes_, 0, failing_ ? "no" : ""});
      }
      done(results);
    };
    const FindDevice find = [this](const std::string& name) -> std::optional<Device> {
      const auto device = devices_.find(name);
      if (device == devices_.end()) return std::nullopt;
      return Device{device->second, {2, 0, 0, 0, 0, 1}, 254, up_, macvlan_};
    };
    addresses_ = std::make_unique<Addresses>(
        Addresses::Needs{*loop_, apply, find, nullptr, Log(), [this] { ++announced_; }});
    addresses_->configure(plan_);
    asked_.clear();
  }
  AddressOutcome claim() {
    AddressOutcome outcome;
    addresses_->claim([&](const AddressOutcome& o) { outcome = o; });
    return outcome;
  }
  std::vector<std::string> take() { return std::exchange(asked_, {}); }
  sys::AddressChange taken_away(std::size_t i) {
    return {false, false,
            to_interface_address(plan_.addresses[i], devices_[plan_.addresses[i].device])};
  }

  NodePlan plan_;
  std::map<std::string, int> devices_{{"lan", 3}, {"wan", 4}};
  std::unique_ptr<sys::EventLoop> loop_;
  std::unique_ptr<Addresses> addresses_;
  std::vector<std::string> asked_;
  bool failing_ = false, changes_ = true, up_ = true, macvlan_ = true;
  int announced_ = 0;
};

TEST_F(AddressesTest, EveryDeviceHasItsPlaceholderWhileTheAgentRuns) {
  addresses_->configure(plan_);
  EXPECT_THAT(take(), ElementsAre("+169.254.254.1/32@3", "+169.254.254.1/32@4"));
}

TEST_F(AddressesTest, AClaimAddsAllAndSaysWhatIsHeld) {
  EXPECT_TRUE(claim().ok);
  EXPECT_THAT(take(), ElementsAre("+192.0.2.1/24@3", "+198.51.100.1/32@4"));
  EXPECT_THAT(addresses_->held(), ElementsAre(true, true));
}

TEST_F(AddressesTest, AMissingDeviceFailsTheClaimByNameAndTheRestIsClaimed) {
  devices_.erase("wan");
  const auto outcome = claim();
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr("device wan does not exist"));
  EXPECT_THAT(addresses_->held(), ElementsAre(true, false));
}

TEST_F(AddressesTest, APlannedWithdrawalLeavesTheSubnetsForAMomentButNoneForHostAddresses) {
  claim();
  take();
  addresses_->withdraw(true, [](const auto&) {});
  EXPECT_THAT(take(),
              ElementsAre("+route 192.0.2.0/24@3", "-192.0.2.1/24@3", "-198.51.100.1/32@4"));
  EXPECT_TRUE(addresses_->lingering());
  claim();
  EXPECT_THAT(take(),
              ElementsAre("+192.0.2.1/24@3", "+198.51.100.1/32@4", "-route 192.0.2.0/24@3"));
}

TEST_F(AddressesTest, WhatWasNeverHeldDoesNotLinger) {
  addresses_->withdraw(true, [](const auto&) {});
  EXPECT_FALSE(addresses_->lingering());
}

TEST_F(AddressesTest, AnAddressThatSomebodyRemovesIsPutBackAndAnnounced) {
  claim();
  take();
  addresses_->on_change(taken_away(0));
  loop_->run_once(1s);
  EXPECT_THAT(take(), ElementsAre("+192.0.2.1/24@3"));
  EXPECT_EQ(announced_, 1);
  EXPECT_THAT(addresses_->warnings(), ElementsAre(HasSubstr("192.0.2.1/24 on lan was removed")));
}

TEST_F(AddressesTest, OurOwnWithdrawalIsNotPutBack) {
  claim();
  addresses_->withdraw(false, [](const auto&) {});
  take();
  addresses_->on_change(taken_away(0));
  loop_->run_once(20ms);
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(AddressesTest, WhoKeepsTakingAnAddressIsAnsweredEverMoreSlowly) {
  AddressLosses losses;
  losses.reset(1);
  Instant now = Instant(1h);
  std::vector<Duration> pauses;
  for (int i = 0; i < 10; ++i) {
    losses.lost(0, now);
    pauses.push_back(*losses.next_due() - now);
    now = *losses.next_due();
    EXPECT_THAT(losses.take_due(now), ElementsAre(0));
    losses.put_back(0, now);
  }
  EXPECT_THAT(pauses,
              ElementsAre(0ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10s, 10s));
  losses.lost(0, now + 61s);
  EXPECT_EQ(*losses.next_due(), now + 61s) << "a minute of peace is forgiveness";
}

TEST_F(AddressesTest, OurOwnRemovalSeenLateCountsAsNobodysLoss) {
  claim();
  addresses_->withdraw(false, [](const auto&) {});
  claim();
  changes_ = false;  // the address is there already
  addresses_->on_change(taken_away(0));
  loop_->run_once(1s);
  EXPECT_TRUE(addresses_->held()[0]);
  EXPECT_THAT(addresses_->warnings(), IsEmpty());
}

TEST_F(AddressesTest, AnAddressThatSomebodyGivesToABackupIsReportedAndLeft) {
  auto change = taken_away(1);
  change.added = true;
  addresses_->on_change(change);
  EXPECT_THAT(addresses_->warnings(), IsEmpty()) << "it may be our own, seen late";
  loop_->run_once(1s);
  EXPECT_THAT(addresses_->warnings(),
              ElementsAre(HasSubstr("ip address del 198.51.100.1/32 dev wan")));
  EXPECT_THAT(take(), IsEmpty());
  change.added = false;
  addresses_->on_change(change);
  EXPECT_THAT(addresses_->warnings(), IsEmpty());
}

TEST_F(AddressesTest, AMacvlanIsUpOnlyWhileItsAddressesAreHeld) {
  plan_.addresses[0].virtual_mac = true;
  addresses_->configure(plan_);
  EXPECT_THAT(take(), ElementsAre("+169.254.254.1/32@4")) << "no placeholder on the macvlan";
  claim();
  EXPECT_THAT(take(), ElementsAre("+192.0.2.1/24@3", "+198.51.100.1/32@4", "up 3"));
  addresses_->withdraw(false, [](const auto&) {});
  EXPECT_THAT(take(), ElementsAre("down 3", "-192.0.2.1/24@3", "-198.51.100.1/32@4"))
      << "silent at once";
}

TEST_F(AddressesTest, AfterAPlannedMoveAMacvlanForwardsUntilThePeerIsPrimary) {
  plan_.addresses[0].virtual_mac = true;
  claim();
  take();
  addresses_->withdraw(true, [](const auto&) {});
  EXPECT_THAT(take(), ElementsAre("+169.254.254.1/32@3", "+route 192.0.2.0/24@3", "-192.0.2.1/24@3",
                                  "-198.51.100.1/32@4"));
  addresses_->on_links_changed();
  EXPECT_THAT(take(), IsEmpty()) << "it is up on purpose";
  addresses_->peer_is_primary();
  EXPECT_THAT(take(), ElementsAre("down 3", "-169.254.254.1/32@3", "-route 192.0.2.0/24@3"));
  EXPECT_FALSE(addresses_->lingering());
}

TEST_F(AddressesTest, AMacvlanThatIsClaimedAgainWhileItLingersStaysUp) {
  plan_.addresses[0].virtual_mac = true;
  claim();
  addresses_->withdraw(true, [](const auto&) {});
  take();
  claim();
  EXPECT_THAT(take(), ElementsAre("+192.0.2.1/24@3", "+198.51.100.1/32@4", "up 3",
                                  "-169.254.254.1/32@3", "-route 192.0.2.0/24@3"));
}

TEST_F(AddressesTest, AMacvlansIpv6AddressesComeWhenItIsUpBehindItsLinkLocalOne) {
  plan_.addresses = {floating("lan", "2001:db8::1/64"), floating("lan", "192.0.2.1/24")};
  for (auto& address : plan_.addresses) address.virtual_mac = true;
  addresses_->configure(plan_);
  claim();
  EXPECT_THAT(take(),
              ElementsAre("+192.0.2.1/24@3", "up 3", "+fe80::ff:fe00:1/64@3", "+2001:db8::1/64@3"));
  EXPECT_THAT(addresses_->held(), ElementsAre(true, true));
}

TEST_F(AddressesTest, AMacvlanThatSomebodySetsDownAtThePrimaryIsSetUpAgain) {
  plan_.addresses[0].virtual_mac = true;
  claim();
  take();
  up_ = false;
  addresses_->on_links_changed();
  loop_->run_once(1s);
  EXPECT_THAT(take(), ElementsAre("+192.0.2.1/24@3", "up 3"));
}

TEST_F(AddressesTest, AMacvlanThatSomebodySetsUpAtABackupIsSetDownAgain) {
  plan_.addresses[0].virtual_mac = true;
  addresses_->on_links_changed();
  EXPECT_THAT(take(), ElementsAre("down 3"));
}

TEST_F(AddressesTest, ADeviceThatOnlyHasTheNameOfAMacvlanIsLeftAlone) {
  plan_.addresses[0].virtual_mac = true;
  macvlan_ = false;
  const auto outcome = claim();
  EXPECT_THAT(outcome.error, HasSubstr("macvlan lan does not exist"));
  EXPECT_THAT(take(), ElementsAre("+198.51.100.1/32@4"));
}

TEST_F(AddressesTest, AFailedWithdrawalIsReported) {
  claim();
  failing_ = true;
  AddressOutcome outcome;
  addresses_->withdraw(false, [&](const AddressOutcome& o) { outcome = o; });
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.error, "no");
}

TEST_F(AddressesTest, ANewPlanGivesBackWhatItNoLongerNames) {
  claim();
  take();
  NodePlan smaller;
  smaller.addresses = {plan_.addresses[0]};
  addresses_->configure(smaller);
  EXPECT_THAT(take(), ElementsAre("-198.51.100.1/32@4", "+169.254.254.1/32@3", "+192.0.2.1/24@3"));
  EXPECT_THAT(addresses_->held(), ElementsAre(true));
}

TEST_F(AddressesTest, OnlyWhatIsHeldIsAnnounced) {
  const FindDevice find = [](const std::string&) { return Device{3, {2, 0, 0, 0, 0, 1}, 254}; };
  const auto list =
      announcements_for(plan_.addresses, {false, true}, find, [](const auto&) { return false; });
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(sys::to_text(list[0].address), "198.51.100.1");
}

}  // namespace
}  // namespace hotpair::daemon
