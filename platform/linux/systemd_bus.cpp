#include "platform/linux/systemd_bus.hpp"

#include <cerrno>
#include <cstring>
#include <map>

#include <poll.h>
#include <systemd/sd-bus.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnit = "org.freedesktop.systemd1.Unit";
constexpr const char* kProperties = "org.freedesktop.DBus.Properties";
constexpr int kMessagesATurn = 64;
constexpr std::uint64_t kAnswerTimeUs = 5'000'000;

// Every variant that is not read below is skipped: a newer systemd has more properties.
bool read_text(sd_bus_message* message, std::string& out) {
  const char* value = nullptr;
  if (sd_bus_message_read(message, "v", "s", &value) < 0) return false;
  out = value;
  return true;
}

bool read_job(sd_bus_message* message, bool& pending) {
  std::uint32_t id = 0;
  const char* path = nullptr;
  if (sd_bus_message_read(message, "v", "(uo)", &id, &path) < 0) return false;
  pending = id != 0;
  return true;
}

bool read_property(sd_bus_message* message, UnitState& state) {
  const char* name = nullptr;
  if (sd_bus_message_read(message, "s", &name) < 0) return false;
  const std::string_view key(name);
  if (key == "ActiveState") return read_text(message, state.active_state);
  if (key == "SubState") return read_text(message, state.sub_state);
  if (key == "LoadState") return read_text(message, state.load_state);
  if (key == "Job") return read_job(message, state.job_pending);
  return sd_bus_message_skip(message, "v") >= 0;
}

// a{sv}: false when it is malformed.
bool read_properties(sd_bus_message* message, UnitState& state) {
  if (sd_bus_message_enter_container(message, 'a', "{sv}") < 0) return false;
  int entered = 0;
  while ((entered = sd_bus_message_enter_container(message, 'e', "sv")) > 0)
    if (!read_property(message, state) || sd_bus_message_exit_container(message) < 0) return false;
  return entered == 0 && sd_bus_message_exit_container(message) >= 0;
}

std::uint32_t epoll_of(int poll_events) {
  return (poll_events & POLLIN ? EPOLLIN : 0u) | (poll_events & POLLOUT ? EPOLLOUT : 0u);
}

}  // namespace

struct SystemdBus::State {
  struct Unit {
    State* owner = nullptr;
    std::string name, path;
    UnitState state;
    bool told = false;
  };

  EventLoop& loop;
  Callbacks callbacks;
  sd_bus* bus = nullptr;
  int fd = -1;
  TimerId timer = 0;
  bool lost = false;
  std::map<std::string, Unit> units;  // nodes are stable: sd-bus holds pointers to them

  State(EventLoop& l, Callbacks c) : loop(l), callbacks(std::move(c)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    disconnect();
    sd_bus_close_unref(bus);
  }

  void disconnect() {
    if (fd >= 0) loop.remove(fd);
    if (timer != 0) loop.cancel(timer);
    fd = -1;
    timer = 0;
  }
  void fail(const std::string& what, int error) {
    if (std::exchange(lost, true)) return;
    disconnect();
    callbacks.lost(what + ": " + errno_text(error));
  }

  int open(const std::string& address);
  int subscribe();
  void turn();
  void arm();
  void ask(Unit& unit);
  void tell(Unit& unit, const UnitState& state);

  static int on_subscribed(sd_bus_message* answer, void* data, sd_bus_error*);
  static int on_all(sd_bus_message* answer, void* data, sd_bus_error*);
  static int on_changed(sd_bus_message* signal, void* data, sd_bus_error*);
  static int on_manager(sd_bus_message* signal, void* data, sd_bus_error*);
};

// Nothing here waits: the connection and its authentication go on in sd_bus_process().
int SystemdBus::State::open(const std::string& address) {
  int done = 0;
  if (address.empty()) {
    done = sd_bus_open_system_with_description(&bus, "hotpair");
  } else {
    if ((done = sd_bus_new(&bus)) < 0) return done;
    if ((done = sd_bus_set_address(bus, address.c_str())) < 0) return done;
    if ((done = sd_bus_set_bus_client(bus, 1)) < 0) return done;
    done = sd_bus_start(bus);
  }
  if (done < 0) return done;
  if ((done = sd_bus_set_method_call_timeout(bus, kAnswerTimeUs)) < 0) return done;
  // systemd may be started again in place: the subscription is gone then, the unit paths are not.
  done = sd_bus_match_signal_async(bus, nullptr, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                   "org.freedesktop.DBus", "NameOwnerChanged", on_manager, nullptr,
                                   this);
  if (done < 0) return done;
  return subscribe();
}

// Without it systemd tells nobody of changes.
int SystemdBus::State::subscribe() {
  return sd_bus_call_method_async(bus, nullptr, kService, kManagerPath, kManager, "Subscribe",
                                  on_subscribed, this, "");
}

int SystemdBus::State::on_subscribed(sd_bus_message* answer, void* data, sd_bus_error*) {
  auto* self = static_cast<State*>(data);
  if (!sd_bus_message_is_method_error(answer, nullptr)) return 0;
  const sd_bus_error* error = sd_bus_message_get_error(answer);
  if (sd_bus_error_has_name(error, "org.freedesktop.systemd1.AlreadySubscribed")) return 0;
  self->fail("systemd does not answer on the bus", sd_bus_error_get_errno(error));
  return 0;
}

int SystemdBus::State::on_manager(sd_bus_message* signal, void* data, sd_bus_error*) {
  auto* self = static_cast<State*>(data);
  const char *name = nullptr, *before = nullptr, *after = nullptr;
  if (sd_bus_message_read(signal, "sss", &name, &before, &after) < 0) return 0;
  if (std::strcmp(name, kService) != 0 || *after == '\0') return 0;
  if (const int done = self->subscribe(); done < 0) self->fail("cannot ask systemd", -done);
  for (auto& [key, unit] : self->units) self->ask(unit);
  return 0;
}

void SystemdBus::State::ask(Unit& unit) {
  const int done = sd_bus_call_method_async(bus, nullptr, kService, unit.path.c_str(), kProperties,
                                            "GetAll", on_all, &unit, "s", kUnit);
  if (done < 0) fail("cannot ask systemd for " + unit.name, -done);
}

int SystemdBus::State::on_all(sd_bus_message* answer, void* data, sd_bus_error*) {
  auto* unit = static_cast<Unit*>(data);
  State& self = *unit->owner;
  if (sd_bus_message_is_method_error(answer, nullptr)) {
    self.fail("systemd does not tell of " + unit->name,
              sd_bus_error_get_errno(sd_bus_message_get_error(answer)));
    return 0;
  }
  UnitState state;
  if (read_properties(answer, state)) self.tell(*unit, state);
  return 0;
}

int SystemdBus::State::on_changed(sd_bus_message* signal, void* data, sd_bus_error*) {
  auto* unit = static_cast<Unit*>(data);
  const char* interface = nullptr;
  if (sd_bus_message_read(signal, "s", &interface) < 0 || std::strcmp(interface, kUnit) != 0)
    return 0;
  UnitState state = unit->state;
  if (!read_properties(signal, state)) return 0;
  if (unit->told)
    unit->owner->tell(*unit, state);
  else
    unit->owner->ask(*unit);
  return 0;
}

void SystemdBus::State::tell(Unit& unit, const UnitState& state) {
  if (lost || (unit.told && unit.state == state)) return;
  unit.told = true;
  unit.state = state;
  callbacks.changed(unit.name, state);
}

void SystemdBus::State::turn() {
  for (int i = 0; i < kMessagesATurn && !lost; ++i) {
    const int more = sd_bus_process(bus, nullptr);
    if (more < 0) return fail("the system bus was lost", -more);
    if (more == 0) break;
  }
  if (!lost) arm();
}

// What sd-bus waits for changes with every turn.
void SystemdBus::State::arm() {
  const int events = sd_bus_get_events(bus);
  std::uint64_t at_us = 0;
  const int timed = sd_bus_get_timeout(bus, &at_us);
  if (events < 0 || timed < 0) return fail("the system bus was lost", -std::min(events, timed));
  (void)loop.modify(fd, epoll_of(events));
  loop.cancel(timer);
  timer = 0;
  if (at_us == UINT64_MAX) return;
  const Instant at{Duration(std::chrono::microseconds(at_us))};
  timer = loop.call_at(std::max(at, now()), [this] {
    timer = 0;
    turn();
  });
}

SystemdBus::SystemdBus(std::unique_ptr<State> state) : state_(std::move(state)) {}
SystemdBus::~SystemdBus() = default;

Result<std::unique_ptr<SystemdBus>> SystemdBus::connect(EventLoop& loop, const std::string& address,
                                                        Callbacks callbacks) {
  auto state = std::make_unique<State>(loop, std::move(callbacks));
  State* self = state.get();
  if (const int done = self->open(address); done < 0)
    return fail_errno("cannot reach the system bus", -done);
  self->fd = sd_bus_get_fd(self->bus);
  if (self->fd < 0) return fail_errno("cannot reach the system bus", -self->fd);
  if (auto added = loop.add(self->fd, EPOLLIN, [self](auto) { self->turn(); }); !added) {
    self->fd = -1;
    return fail(added.error());
  }
  self->arm();
  if (self->lost) return fail_with("cannot reach the system bus");
  return std::unique_ptr<SystemdBus>(new SystemdBus(std::move(state)));
}

Status SystemdBus::watch(const std::string& name) {
  auto [found, added] = state_->units.try_emplace(name);
  if (!added || state_->lost) return Ok{};
  State::Unit& unit = found->second;
  unit.owner = state_.get();
  unit.name = name;
  // A bus that cannot do this is of no use: from here on it touches the loop no more.
  const auto give_up = [&](int error) {
    state_->lost = true;
    state_->disconnect();
    return fail_errno("cannot watch " + name, error);
  };
  char* path = nullptr;
  // The path follows from the name, loaded or not; asking for its properties loads the unit.
  int done = sd_bus_path_encode("/org/freedesktop/systemd1/unit", name.c_str(), &path);
  if (done < 0) return give_up(-done);
  unit.path = path;
  std::free(path);
  done = sd_bus_match_signal_async(state_->bus, nullptr, kService, unit.path.c_str(), kProperties,
                                   "PropertiesChanged", State::on_changed, nullptr, &unit);
  if (done < 0) return give_up(-done);
  state_->ask(unit);
  if (!state_->lost) state_->arm();
  return Ok{};
}

}  // namespace hotpair::sys
