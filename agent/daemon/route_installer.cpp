#include "agent/daemon/route_installer.hpp"

#include <cerrno>

#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

using What = sys::RouteChange::What;

// Everything under our protocol, as removals. A neighbour that the kernel has confirmed since is
// its own by now.
Status find_ours(sys::RouteTables& kernel, std::vector<sys::RouteChange>& removals) {
  std::vector<sys::KernelNeighbour> neighbours;
  sys::RoutesLeftOut left_out;
  const auto ours = [](std::uint8_t protocol, std::uint32_t) {
    return protocol == config::kOwnRouteProtocol;
  };
  const auto visit = [&](sys::KernelRoute&& route) {
    route.hops.clear();  // what is removed is named without them
    removals.push_back({What::remove, std::move(route)});
  };
  if (Status read = kernel.read_routes(ours, visit, left_out); !read) return read;
  if (Status read = kernel.read_neighbours(neighbours); !read) return read;
  for (const auto& neighbour : neighbours)
    if (neighbour.protocol == config::kOwnRouteProtocol && !neighbour.confirmed())
      removals.push_back({What::remove, neighbour});
  return Ok{};
}

}  // namespace

void RouteInstaller::install(const RouteNames& names, const std::string& key,
                             const std::string& value, Work& work) {
  const auto item = agent::decode({key, value});
  HOTPAIR_ASSERT(item);  // decode_entries() took no other
  sys::RouteChange change;
  if (const auto* route = std::get_if<agent::Route>(&*item)) {
    const auto local = names.local(*route);
    if (!local) return void(states_[key] = State::waiting);
    change.item = *local;
  } else {
    const auto local = names.local(std::get<agent::RouteNeighbour>(*item));
    if (!local) return void(states_[key] = State::waiting);
    change.item = *local;
  }
  work.changes.push_back(std::move(change));
  work.keys.push_back(key);
}

void RouteInstaller::remove(const RouteNames& names, const std::string& key, Work& work) {
  const auto state = states_.find(key);
  if (state == states_.end()) return;
  const bool installed = state->second == State::installed;
  states_.erase(state);
  const auto value = wanted_.entries().find(key);
  if (!installed || value == wanted_.entries().end()) return;
  const auto item = agent::decode({key, value->second});
  HOTPAIR_ASSERT(item);
  sys::RouteChange change{What::remove, {}};
  if (const auto* route = std::get_if<agent::Route>(&*item)) {
    const auto table = names.table_of(*route);
    if (!table) return;  // it went with its VRF
    sys::KernelRoute gone;
    gone.prefix = {{route->prefix.ipv6, route->prefix.bytes}, route->length};
    gone.table = *table;
    gone.tos = route->tos;
    gone.priority = route->priority;
    gone.protocol = config::kOwnRouteProtocol;
    change.item = gone;
  } else {
    const auto local = names.local(std::get<agent::RouteNeighbour>(*item));
    if (!local) return;
    change.item = *local;
  }
  work.changes.push_back(std::move(change));
  work.keys.emplace_back();
}

void RouteInstaller::carry_out(Work& work) {
  const std::vector<int> results = kernel_.apply(work.changes);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (work.keys[i].empty()) continue;
    State& state = states_[work.keys[i]];
    switch (results[i]) {
      case 0:
        state = State::installed;
        break;
      case EEXIST:
        state = State::own;
        break;
      case ENODEV:
      case ENETDOWN:
        state = State::waiting;
        break;
      default:
        state = State::refused;
        last_refusal_ = sys::errno_text(results[i]);
    }
  }
}

// A neighbour that changed its MAC address, or went: the kernel may know better by now, and then
// the entry is no longer ours to remove. That shows in its state alone.
void RouteInstaller::update(const RouteNames& names, const agent::RouteTable::Change& change) {
  Work work;
  for (const auto& key : change.removed)
    if (!agent::is_neighbour_key(key)) remove(names, key, work);
  for (const auto& entry : change.set)
    if (!agent::is_neighbour_key(entry.key)) remove(names, entry.key, work);
  bool neighbours_go = false;
  const auto touches = [&](const std::string& key) {
    neighbours_go = neighbours_go || (agent::is_neighbour_key(key) && states_.contains(key));
  };
  for (const auto& key : change.removed) touches(key);
  for (const auto& entry : change.set) touches(entry.key);
  wanted_.apply(change);
  for (const auto& entry : change.set)
    if (!states_.contains(entry.key)) install(names, entry.key, entry.value, work);
  carry_out(work);
  if (!neighbours_go) return;
  for (const auto& key : change.removed) states_.erase(key);
  for (const auto& entry : change.set)
    if (agent::is_neighbour_key(entry.key)) states_[entry.key] = State::refused;
  (void)reconcile(names, Scope::neighbours);
}

void RouteInstaller::note(const std::string& key, bool ours, const sys::RouteChange& removal,
                          Present& present) {
  const bool wanted = wanted_.entries().contains(key);
  const auto state = states_.find(key);
  const bool as_installed = state != states_.end() && state->second == State::installed;
  if (ours && !(wanted && as_installed))
    present.stray.push_back(removal);
  else if (wanted)
    present.keys[key] = ours;
}

Status RouteInstaller::look(const RouteNames& names, Scope scope, Present& present) {
  std::vector<sys::KernelNeighbour> neighbours;
  sys::RoutesLeftOut left_out;
  const auto any = [](std::uint8_t, std::uint32_t) { return true; };
  const auto visit = [&](sys::KernelRoute&& route) {
    const bool ours = route.protocol == config::kOwnRouteProtocol;
    route.hops.clear();  // no part of the key, and perhaps over a device without a name
    if (const auto shared = names.shared(route))
      note(agent::encode(*shared).key, ours, {What::remove, std::move(route)}, present);
  };
  if (scope == Scope::everything)
    if (Status read = kernel_.read_routes(any, visit, left_out); !read) return read;
  if (Status read = kernel_.read_neighbours(neighbours); !read) return read;
  for (const auto& neighbour : neighbours) {
    const auto shared = names.shared(neighbour);
    if (!shared) continue;
    const bool ours = neighbour.protocol == config::kOwnRouteProtocol && !neighbour.confirmed();
    note(agent::encode(*shared).key, ours, {What::remove, neighbour}, present);
  }
  return Ok{};
}

Status RouteInstaller::reconcile(const RouteNames& names, Scope scope) {
  Present present;
  if (Status read = look(names, scope, present); !read) return read;
  Work work;
  work.changes = std::move(present.stray);
  work.keys.resize(work.changes.size());
  last_refusal_.clear();
  for (const auto& [key, value] : wanted_.entries()) {
    if (scope == Scope::neighbours && !agent::is_neighbour_key(key)) continue;
    const auto found = present.keys.find(key);
    if (found == present.keys.end())
      install(names, key, value, work);
    else
      states_[key] = found->second ? State::installed : State::own;
  }
  carry_out(work);
  return Ok{};
}

Status RouteInstaller::remove_all() {
  wanted_.clear();
  states_.clear();
  std::vector<sys::RouteChange> removals;
  if (Status read = find_ours(kernel_, removals); !read) return read;
  (void)kernel_.apply(removals);
  return Ok{};
}

agent::RouteOutcome RouteInstaller::outcome() const {
  agent::RouteOutcome outcome;
  for (const auto& [key, state] : states_) {
    switch (state) {
      case State::waiting:
        ++outcome.waiting;
        break;
      case State::installed:
        ++outcome.installed;
        break;
      case State::own:
        ++outcome.own;
        break;
      case State::refused:
        ++outcome.refused;
        break;
    }
  }
  outcome.text = last_refusal_;
  return outcome;
}

Result<std::size_t> remove_synchronised_routes() {
  auto kernel = sys::RouteTables::open();
  if (!kernel) return fail(kernel.error());
  std::vector<sys::RouteChange> removals;
  if (Status read = find_ours(*kernel, removals); !read) return fail(read.error());
  (void)kernel->apply(removals);
  return removals.size();
}

}  // namespace hotpair::daemon
