#include "agent/daemon/password_rotation.hpp"

#include <charconv>
#include <cstdio>

#include "agent/daemon/commands.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/state_file.hpp"

namespace hotpair::daemon {
namespace {

using agent::kNoPassword;
using agent::PasswordUse;
using nlohmann::json;

json name_json(agent::PasswordId id) {
  return id == kNoPassword ? json() : json(password_name(id));
}

json use_json(const PasswordUse& use) {
  return {{"used", name_json(use.used)}, {"other", name_json(use.other)}, {"round", use.round}};
}

}  // namespace

std::string password_name(agent::PasswordId id) {
  if (id == kNoPassword) return "";
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(id));
  return text;
}

std::string next_step(const agent::LoadedPasswords& loaded, const PasswordUse& ours,
                      const PasswordUse& peers) {
  if (!peers.known()) return "wait until the other node is heard; a rotation needs both nodes";
  const bool two_here = ours.other != kNoPassword, two_there = peers.other != kNoPassword;
  if (ours.used != peers.used && two_here && two_there)
    return "the nodes seal with different passwords: 'hotpair password switch'";
  if (!two_here && !two_there)
    return "to change the password, append the new one as a second line to the password file of "
           "both nodes, then 'hotpair reload' on both";
  if (ours.used == loaded[1] || (!two_here && two_there))
    return std::string("remove the first line from the password file of ") +
           (two_here && two_there ? "both nodes"
            : two_here            ? "this node"
                                  : "the other node") +
           ", then 'hotpair reload' there";
  if (!two_there)
    return "append the same new password as a second line on the other node, then 'hotpair "
           "reload' there";
  if (peers.other != loaded[1])
    return "the second lines of the two password files differ: make them the same, then 'hotpair "
           "reload' on both";
  return "both nodes have the new password: 'hotpair password switch'";
}

std::string password_use_text(const PasswordUse& use) {
  return json{{"used", password_name(use.used)}, {"round", use.round}}.dump() + "\n";
}

PasswordUse read_password_use(const std::string& state_dir) {
  const auto text = sys::read_state_file(state_dir + "/" + kPasswordFile);
  if (!text || !text->has_value()) return {};
  const json read = json::parse(**text, nullptr, false);
  if (!read.is_object() || !read.contains("used") || !read["used"].is_string() ||
      !read.contains("round") || !read["round"].is_number_unsigned())
    return {};
  const auto& name = read["used"].get_ref<const std::string&>();
  PasswordUse use;
  const auto end = name.data() + name.size();
  if (std::from_chars(name.data(), end, use.used, 16).ptr != end) return {};
  use.round = read["round"].get<std::uint64_t>();
  return use;
}

PasswordRotation::PasswordRotation(Needs needs, const PasswordUse& remembered)
    : needs_(std::move(needs)), use_(remembered) {
  loaded();
}

PasswordRotation::~PasswordRotation() {
  needs_.loop.cancel(timer_);
}

PasswordUse PasswordRotation::heard_peer() const {
  return needs_.peer_alive() ? peers_ : PasswordUse{};
}

void PasswordRotation::loaded() {
  loaded_ = needs_.association.with([](auto& association) { return association.passwords(); });
  const PasswordUse chosen = agent::choose_password(loaded_, use_, peers_);
  needs_.association.with([&](auto& association) { return association.use_password(chosen.used); });
  use_ = chosen;
}

std::optional<std::string> PasswordRotation::objection_to(
    const agent::LoadedPasswords& loaded) const {
  const PasswordUse peer = heard_peer();
  if (!peer.known() || peer.used == loaded[0] || peer.used == loaded[1]) return std::nullopt;
  return "the password file has not the password that the other node uses (" +
         password_name(peer.used) +
         "), so the nodes would not hear each other; write the new one as the second line and see "
         "'hotpair password status'";
}

void PasswordRotation::take(const PasswordUse& use, const std::string& why) {
  const bool changed = use.used != use_.used;
  use_ = use;
  needs_.association.with([&](auto& association) { return association.use_password(use.used); });
  needs_.publish();
  if (changed)
    needs_.log.notice("password-switched",
                      "seals with password " + password_name(use.used) + ": " + why,
                      {{"round", use.round}});
  needs_.disk.run([path = needs_.state_file,
                   text = password_use_text(use)] { return sys::write_state_file(path, text); },
                  [log = needs_.log](const Status& written) {
                    if (!written) log.error("persist-failed", written.error().message);
                  });
}

void PasswordRotation::heard(const PasswordUse& peers) {
  peers_ = peers;
  if (const auto use = agent::follow_password(use_, peers)) take(*use, "the other node does");
  if (!switching_ || peers_.used != use_.used) return;
  finish({{"ok", true},
          {"message", "both nodes use password " + password_name(use_.used) + " now; " +
                          next_step(loaded_, use_, peers_)}});
}

void PasswordRotation::switch_over(bool back, PasswordAnswered answered) {
  if (switching_) return answered(error_json("a switch is under way already"));
  const PasswordUse peer = heard_peer();
  const agent::PasswordId wanted = loaded_[back ? 0 : 1];
  if (wanted != kNoPassword && use_.used == wanted && peer.used == wanted)
    return answered(
        {{"ok", true},
         {"message", "both nodes use that password already; " + next_step(loaded_, use_, peer)}});
  const auto use = agent::switch_password(use_, wanted, peer);
  if (!use) return answered(error_json(std::string(use.error().view())));
  switching_ = std::move(answered);
  timer_ = needs_.loop.call_at(sys::now() + kSwitchTimeout, [this] {
    timer_ = 0;
    finish(
        error_json("this node uses the new password, and the other node has not followed in 3 "
                   "s; both are accepted, so nothing is lost: see 'hotpair password status'"));
  });
  take(*use, "an operator asked for it");
}

void PasswordRotation::finish(const json& reply) {
  needs_.loop.cancel(timer_);
  timer_ = 0;
  if (const auto answered = std::exchange(switching_, nullptr)) answered(reply);
}

json PasswordRotation::to_json() const {
  const PasswordUse peer = heard_peer();
  json lines = json::array();
  for (const auto id : loaded_)
    if (id != kNoPassword) lines.push_back({{"key", password_name(id)}, {"used", id == use_.used}});
  return {{"loaded", lines},
          {"node", use_json(use_)},
          {"peer", peer.known() ? use_json(peer) : json()},
          {"next_step", next_step(loaded_, use_, peer)}};
}

}  // namespace hotpair::daemon
