// Who may speak: the handshake, replays, restarts, rotation of the password, floods.
#include "agent/core/association.hpp"

#include <gtest/gtest.h>

#include "tests/sim/toy_cipher.hpp"

namespace hotpair::agent {
namespace {

using simulation::ToyCipher;
using Frame = std::vector<std::uint8_t>;

struct End {
  End(ChassisId id, std::uint64_t seed, std::uint16_t group = 7, std::string password = "secret")
      : cipher(std::move(password), Rng(seed)), association(id, group, cipher) {}

  Frame seal(PathId path = 0) {
    Frame out(kHeartbeatHeaderSize + kMaxBodySize + kTagSize);
    out.resize(association.seal(path, body, out));
    return out;
  }
  std::optional<Frame> greet(PathId path = 0) {
    Frame out(kHeartbeatHeaderSize + kMaxBodySize + kTagSize);
    const auto size = association.greet(path, body, out);
    if (!size) return std::nullopt;
    out.resize(*size);
    return out;
  }
  Result<OpenedFrame, RejectedFrame> open(const Frame& frame, PathId path = 0) {
    return association.open(path, frame, room);
  }
  Rejection refusal(const Frame& frame, PathId path = 0) {
    const auto opened = open(frame, path);
    return opened.ok() ? Rejection::count_ : opened.error().reason;
  }

  ToyCipher cipher;
  Association association;
  std::array<std::uint8_t, 3> body{1, 2, 3};
  std::array<std::uint8_t, kMaxBodySize> room{};
};

// Both send once, and what each greeting calls for.
void exchange(End& a, End& b) {
  for (int i = 0; i < 2; ++i) {
    (void)b.open(a.seal());
    if (const auto frame = a.greet()) (void)b.open(*frame);
    (void)a.open(b.seal());
    if (const auto frame = b.greet()) (void)a.open(*frame);
  }
}

class Associations : public testing::Test {
 protected:
  End one{ChassisId::one, 1}, two{ChassisId::two, 2};
};

TEST_F(Associations, AreMadeByGreetingAndEcho) {
  EXPECT_EQ(two.refusal(one.seal()), Rejection::not_echoed) << "a greeting proves no freshness";
  const auto answer = two.greet();
  ASSERT_TRUE(answer);
  const auto opened = one.open(*answer);
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(opened->new_association);
  EXPECT_TRUE(two.open(one.seal()).ok());
  EXPECT_TRUE(one.association.established() && two.association.established());
  EXPECT_FALSE(two.greet());
}

TEST_F(Associations, AcceptEachFrameOnce) {
  exchange(one, two);
  const Frame frame = one.seal();
  EXPECT_TRUE(two.open(frame).ok());
  EXPECT_EQ(two.refusal(frame), Rejection::replayed);
  EXPECT_EQ(two.refusal(frame, 1), Rejection::wrong_path);
}

TEST_F(Associations, AcceptNothingThatWasRecordedBeforeARestart) {
  exchange(one, two);
  const Frame recorded = one.seal();
  End restarted(ChassisId::two, 3);
  EXPECT_EQ(restarted.refusal(recorded), Rejection::not_echoed);
  exchange(one, restarted);
  EXPECT_TRUE(restarted.open(one.seal()).ok());
  EXPECT_EQ(one.refusal(two.seal()), Rejection::stale_salt) << "the earlier life is retired";
}

TEST_F(Associations, RefuseByNameWhatIsWrong) {
  exchange(one, two);
  Frame frame = one.seal();
  EXPECT_EQ(two.refusal(Frame(79)), Rejection::too_short);
  EXPECT_EQ(two.refusal(Frame(2000)), Rejection::too_long);
  EXPECT_EQ(one.refusal(frame), Rejection::own_frame);
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Frame changed = frame;
    changed[at] = value;
    return two.refusal(changed);
  };
  EXPECT_EQ(with(0, 'X'), Rejection::wrong_magic);
  EXPECT_EQ(with(4, 2), Rejection::wrong_version);
  EXPECT_EQ(with(5, 3), Rejection::unknown_kind);
  EXPECT_EQ(with(8, 3), Rejection::bad_chassis_id);
  EXPECT_EQ(with(10, 1), Rejection::reserved_bits);
  EXPECT_EQ(with(63, 1), Rejection::reserved_bits);
  EXPECT_EQ(with(70, static_cast<std::uint8_t>(frame[70] ^ 1)), Rejection::wrong_password);
  EXPECT_TRUE(two.open(frame).ok()) << "none of this used the counter up";
}

TEST_F(Associations, RecogniseTheirMisconfiguredPeer) {
  End other_group(ChassisId::two, 4, 8), same_id(ChassisId::one, 5),
      stranger(ChassisId::two, 6, 8, "other");
  auto refused = one.open(other_group.seal());
  EXPECT_EQ(refused.error().reason, Rejection::wrong_group);
  EXPECT_EQ(refused.error().value, 8u);
  EXPECT_TRUE(refused.error().proven);
  EXPECT_EQ(refused.error().body_size, 3u);
  refused = one.open(same_id.seal());
  EXPECT_EQ(refused.error().reason, Rejection::same_chassis_id);
  EXPECT_TRUE(refused.error().proven);
  EXPECT_FALSE(one.open(stranger.seal()).error().proven);
}

void load(End& end, const char* first, const char* second) {
  end.cipher.set_passwords(first, second);
  end.association.passwords_changed();
}

void expect_same_keys(End& one, End& two) {
  for (const auto sender : {ChassisId::one, ChassisId::two})
    EXPECT_EQ(one.association.derive("sync", sender), two.association.derive("sync", sender));
}

TEST_F(Associations, OutliveTheRotationOfThePassword) {
  exchange(one, two);
  for (End* end : {&one, &two}) load(*end, "secret", "next");
  const auto before = two.association.generation();
  ASSERT_TRUE(one.association.use_password(one.association.passwords()[1]));
  EXPECT_TRUE(two.open(one.seal()).ok()) << "the other end need not switch in the same instant";
  EXPECT_TRUE(one.open(two.seal()).ok());
  EXPECT_NE(two.association.generation(), before);
  expect_same_keys(one, two);
  ASSERT_TRUE(two.association.use_password(two.association.passwords()[1]));
  for (End* end : {&one, &two}) load(*end, "next", "");
  EXPECT_TRUE(two.open(one.seal()).ok());
  EXPECT_TRUE(one.open(two.seal()).ok());
  expect_same_keys(one, two);
}

TEST_F(Associations, KeepThePasswordInUseWhenTheLinesOfTheFileChangePlaces) {
  exchange(one, two);
  load(one, "next", "secret");
  EXPECT_TRUE(two.open(one.seal()).ok()) << "the other end knows only the old one";
  EXPECT_FALSE(one.association.use_password(4711)) << "not loaded";
}

TEST_F(Associations, DeriveKeysAlsoBeforeTheFirstFrameAfterAPasswordWasRemoved) {
  exchange(one, two);
  for (End* end : {&one, &two}) {
    load(*end, "secret", "next");
    end->association.use_password(end->association.passwords()[1]);
  }
  EXPECT_TRUE(two.open(one.seal()).ok());
  load(two, "next", "");
  EXPECT_EQ(one.association.derive("sync", ChassisId::one),
            two.association.derive("sync", ChassisId::one));
}

TEST_F(Associations, AnswerANewEndUnderThePasswordThatItUses) {
  End tidied(ChassisId::two, 9, 7, "next");
  load(one, "secret", "next");
  exchange(one, tidied);
  EXPECT_TRUE(tidied.association.established()) << "it cannot read the other password";
}

TEST_F(Associations, DeriveNoKeyForEachForgedFrame) {
  exchange(one, two);
  const int before = two.cipher.derivations();
  Frame forged = one.seal();
  for (unsigned i = 0; i < 8000; ++i) {
    forged[20] = static_cast<std::uint8_t>(i);
    forged[21] = static_cast<std::uint8_t>(i >> 8);
    (void)two.open(forged);
  }
  EXPECT_LT(two.cipher.derivations() - before, 1100);
  EXPECT_GT(two.association.rejected()[static_cast<std::size_t>(Rejection::throttled)], 6000u);
  EXPECT_TRUE(two.open(one.seal()).ok()) << "the peer is heard through the flood";
}

TEST_F(Associations, DrawANewSaltWhenTheyRememberTooManyOldOnes) {
  for (std::uint64_t life = 0; life < 2 * kRetiredSalts; ++life) {
    End peer(ChassisId::two, 100 + life);
    for (int i = 0; i < 20; ++i) exchange(one, peer);  // permissions to derive are earned by frames
    EXPECT_TRUE(peer.open(one.seal()).ok()) << life;
    EXPECT_TRUE(one.open(peer.seal()).ok()) << life;
  }
}

TEST_F(Associations, ReadAFrameThatIsRefusedElsewhereWithoutUsingItUp) {
  exchange(one, two);
  const Frame frame = one.seal();
  EXPECT_EQ(two.association.inspect(frame, two.room), std::size_t{3});
  EXPECT_TRUE(two.open(frame).ok());
}

}  // namespace
}  // namespace hotpair::agent
