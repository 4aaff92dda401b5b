// Units over a bus of the test's own, with a systemd that does what the test says.
#include "platform/linux/systemd_bus.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "platform/linux/clock.hpp"

namespace hotpair::sys {
namespace {

constexpr const char* kUnitPath = "/org/freedesktop/systemd1/unit/ips_2eservice";
constexpr const char* kUnitInterface = "org.freedesktop.systemd1.Unit";

// What org.freedesktop.systemd1(5) promises of a unit, as far as it is asked for.
struct FakeUnit {
  const char *active = "active", *sub = "running", *load = "loaded";
  std::uint32_t job = 0;
};

int get_text(sd_bus*, const char*, const char*, const char* property, sd_bus_message* reply,
             void* data, sd_bus_error*) {
  const auto* unit = static_cast<const FakeUnit*>(data);
  const std::string name = property;
  return sd_bus_message_append(reply, "s",
                               name == "ActiveState" ? unit->active
                               : name == "SubState"  ? unit->sub
                                                     : unit->load);
}

int get_job(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* data,
            sd_bus_error*) {
  return sd_bus_message_append(reply, "(uo)", static_cast<const FakeUnit*>(data)->job, "/");
}

int get_number(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void*,
               sd_bus_error*) {
  return sd_bus_message_append(reply, "t", std::uint64_t{42});
}

int subscribe(sd_bus_message* call, void*, sd_bus_error*) {
  return sd_bus_reply_method_return(call, "");
}

const sd_bus_vtable kUnitTable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("ActiveState", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("SubState", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("LoadState", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Job", "(uo)", get_job, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("ActiveEnterTimestamp", "t", get_number, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END};
const sd_bus_vtable kManagerTable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Subscribe", "", "", subscribe, SD_BUS_VTABLE_UNPRIVILEGED), SD_BUS_VTABLE_END};

class SystemdBusTest : public testing::Test {
 protected:
  SystemdBusTest()
      : loop_(std::move(*EventLoop::create())),
        folder_(std::filesystem::temp_directory_path() /
                ("hotpair-bus-" + std::to_string(getpid()))),
        address_("unix:path=" + (folder_ / "bus").string()) {
    std::filesystem::create_directory(folder_);
  }
  ~SystemdBusTest() override {
    bus_.reset();
    sd_bus_close_unref(fake_);
    stop_daemon();
    std::filesystem::remove_all(folder_);
  }

  // False when this machine has no bus daemon.
  bool start_daemon() {
    std::ofstream(folder_ / "bus.conf")
        << "<busconfig><type>session</type><listen>" << address_
        << "</listen><policy context='default'><allow send_destination='*' eavesdrop='true'/>"
           "<allow eavesdrop='true'/><allow own='*'/></policy></busconfig>";
    daemon_ = fork();
    if (daemon_ == 0) {
      execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile",
             ("--config-file=" + (folder_ / "bus.conf").string()).c_str(), nullptr);
      _exit(127);
    }
    return until([&] { return std::filesystem::exists(folder_ / "bus") || gone(); }) && !gone();
  }
  bool gone() {
    if (daemon_ > 0 && waitpid(daemon_, nullptr, WNOHANG) == daemon_) daemon_ = -1;
    return daemon_ < 0;
  }
  void stop_daemon() {
    if (daemon_ <= 0) return;
    kill(daemon_, SIGKILL);
    waitpid(daemon_, nullptr, 0);
    daemon_ = -1;
  }

  void start_systemd() {
    ASSERT_GE(sd_bus_new(&fake_), 0);
    ASSERT_GE(sd_bus_set_address(fake_, address_.c_str()), 0);
    ASSERT_GE(sd_bus_set_bus_client(fake_, 1), 0);
    ASSERT_GE(sd_bus_start(fake_), 0);
    ASSERT_GE(
        sd_bus_add_object_vtable(fake_, nullptr, kUnitPath, kUnitInterface, kUnitTable, &unit_), 0);
    ASSERT_GE(sd_bus_add_object_vtable(fake_, nullptr, "/org/freedesktop/systemd1",
                                       "org.freedesktop.systemd1.Manager", kManagerTable, nullptr),
              0);
    ASSERT_GE(sd_bus_request_name(fake_, "org.freedesktop.systemd1", 0), 0);
  }
  void becomes(const char* active, const char* sub, std::uint32_t job = 0) {
    unit_ = {active, sub, "loaded", job};
    ASSERT_GE(sd_bus_emit_properties_changed(fake_, kUnitPath, kUnitInterface, "ActiveState",
                                             "SubState", "Job", nullptr),
              0);
  }
  void connect() {
    auto bus = SystemdBus::connect(
        *loop_, address_,
        {[this](const std::string& unit, const UnitState& state) { told_[unit] = state; },
         [this](const std::string& why) { lost_ = why; }});
    if (!bus) lost_ = bus.error().message;
    if (bus) bus_ = std::move(bus).value();
  }
  bool until(const std::function<bool()>& done) {
    const Instant patience = now() + 20s;
    while (!done() && now() < patience) {
      while (fake_ != nullptr && sd_bus_process(fake_, nullptr) > 0) continue;
      loop_->run_once(5ms);
    }
    return done();
  }
  std::string active() { return told_["ips.service"].active_state; }

  std::unique_ptr<EventLoop> loop_;
  std::filesystem::path folder_;
  std::string address_;
  pid_t daemon_ = -1;
  sd_bus* fake_ = nullptr;
  FakeUnit unit_;
  std::map<std::string, UnitState> told_;
  std::string lost_;
  std::unique_ptr<SystemdBus> bus_;
};

TEST_F(SystemdBusTest, AUnitIsToldAtFirstAndWithEachChange) {
  if (!start_daemon()) GTEST_SKIP() << "needs dbus-daemon";
  start_systemd();
  connect();
  ASSERT_EQ(lost_, "");
  ASSERT_TRUE(bus_->watch("ips.service"));
  ASSERT_TRUE(until([&] { return active() == "active"; }));
  EXPECT_EQ(told_["ips.service"], (UnitState{"loaded", "active", "running", false}));
  becomes("failed", "failed");
  EXPECT_TRUE(until([&] { return active() == "failed"; }));
  becomes("inactive", "dead", 7);
  EXPECT_TRUE(until([&] { return told_["ips.service"].job_pending; }));
  EXPECT_EQ(told_["ips.service"].load_state, "loaded") << "it is not told again, and stays";
}

TEST_F(SystemdBusTest, ABusThatGoesIsToldOnce) {
  if (!start_daemon()) GTEST_SKIP() << "needs dbus-daemon";
  start_systemd();
  connect();
  ASSERT_TRUE(bus_->watch("ips.service"));
  ASSERT_TRUE(until([&] { return active() == "active"; }));
  stop_daemon();
  EXPECT_TRUE(until([&] { return !lost_.empty(); }));
}

TEST_F(SystemdBusTest, WithoutSystemdOnTheBusThatIsSaid) {
  if (!start_daemon()) GTEST_SKIP() << "needs dbus-daemon";
  connect();
  ASSERT_EQ(lost_, "");
  (void)bus_->watch("ips.service");
  EXPECT_TRUE(until([&] { return !lost_.empty(); }));
  EXPECT_TRUE(told_.empty());
}

TEST_F(SystemdBusTest, WithoutABusThatIsSaidAtOnce) {
  connect();
  EXPECT_NE(lost_.find("cannot reach the system bus"), std::string::npos) << lost_;
}

}  // namespace
}  // namespace hotpair::sys
