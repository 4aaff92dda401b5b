// What this node does when the peer begins a round: compares, takes over, installs.
#include "agent/daemon/route_engine.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"

namespace hotpair::daemon {
namespace {

using agent::RouteMessage;
using Outcome = sys::MessageStream::Outcome;

bool is(const sys::Message& message, RouteMessage type) {
  return message.type == static_cast<std::uint8_t>(type);
}

bool answer(sys::MessageStream& stream, RouteMessage type, const agent::ByteVector& bytes) {
  return stream.send(static_cast<std::uint8_t>(type), Bytes(bytes), kRoutePatience) ==
         Outcome::done;
}

}  // namespace

std::string RouteEngine::reason_to_refuse() const {
  const std::lock_guard lock(state_mutex_);
  if (stopping_) return "the peer's agent ends";
  if (core_.sends()) return "the peer is primary itself";
  if (!core_.keeps()) return "the peer's cluster.yaml does not enable route_sync";
  return {};
}

void RouteEngine::serve(sys::FileDescriptor socket) {
  sys::give_way();
  sys::MessageStream stream(std::move(socket), agent::kMaxRouteMessage);
  sys::Message message;
  while (stream.receive(message, kRoutePatience) == Outcome::done)
    if (!is(message, RouteMessage::offer) || !serve_round(stream, message)) return;
}

bool RouteEngine::serve_round(sys::MessageStream& stream, const sys::Message& first) {
  agent::RouteOutcome outcome;
  const auto refuse = [&](const std::string& why, bool malformed) {
    outcome = {};
    outcome.text = why;
    if (malformed) {
      log_.warning("routes-malformed", why);
      const std::lock_guard lock(state_mutex_);
      ++state_.malformed;
    }
    return answer(stream, RouteMessage::outcome, agent::encode(outcome)) && !malformed;
  };
  const auto offer = agent::decode_offer(first.payload);
  if (!offer) return refuse("an offer of routes cannot be read", true);
  if (const std::string why = reason_to_refuse(); !why.empty()) return refuse(why, false);
  const auto buckets = static_cast<std::uint32_t>(offer->digests.size());
  std::vector<bool> wanted;
  std::uint64_t generation = 0;
  {
    const std::lock_guard turn(turns_);
    wanted = agent::differing(offer->digests, installer_.wanted().digests(buckets));
    generation = generation_;
  }
  if (!answer(stream, RouteMessage::want, agent::encode_want(wanted))) return false;
  agent::RouteTable arrived;
  sys::Message message;
  for (;;) {
    if (stream.receive(message, kRoutePatience) != Outcome::done) return false;
    if (is(message, RouteMessage::commit)) break;
    if (!is(message, RouteMessage::entries) ||
        !agent::decode_entries(message.payload, wanted, arrived))
      return refuse("routes of the peer cannot be read; run one version on both nodes", true);
  }
  if (Status done = take(*offer, wanted, arrived, generation, outcome); !done)
    return refuse(done.error().message, false);
  return answer(stream, RouteMessage::outcome, agent::encode(outcome));
}

Status RouteEngine::take(const agent::RouteOffer& offer, const std::vector<bool>& wanted,
                         const agent::RouteTable& arrived, std::uint64_t generation,
                         agent::RouteOutcome& outcome) {
  const Instant began = sys::now();
  const std::lock_guard turn(turns_);
  if (const std::string why = reason_to_refuse(); !why.empty()) return fail_with(why);
  if (generation != generation_) return fail_with("another update came between; try again");
  ++generation_;
  const auto change = installer_.wanted().difference(arrived, wanted);
  if (!change.set.empty() || !change.removed.empty()) {
    RouteRules rules;
    {
      const std::lock_guard lock(state_mutex_);
      rules = rules_;
    }
    const auto names = read_names(rules);
    if (!names) return fail(names.error());
    installer_.update(*names, change);
  }
  note_held("");
  outcome = installer_.outcome();
  const auto buckets = static_cast<std::uint32_t>(offer.digests.size());
  outcome.ok = installer_.wanted().digests(buckets) == offer.digests;
  if (!outcome.ok) return fail_with("what arrived does not match what was offered; try again");
  {
    const std::lock_guard lock(state_mutex_);
    state_.known = true;
    state_.entries_taken += change.set.size() + change.removed.size();
    if (!change.set.empty() || !change.removed.empty()) {
      ++state_.changes_taken;
      state_.last_took = sys::now() - began;
      state_.last_change = sys::wall_clock_text();
    }
  }
  const bool unread = held_unread_.routes || held_unread_.neighbours;
  post(agent::RoutesTaken{outcome.waiting == 0 && outcome.refused == 0 && !unread});
  return Ok{};
}

}  // namespace hotpair::daemon
