#include "tools/bench/kernel/hotpair_pair.hpp"

// Two hotpair-dataplane, one box each. The bench plays both agents: it gives the keys and the
// roles.
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "platform/linux/crypto.hpp"
#include "platform/linux/scheduling.hpp"
#include "platform/linux/unix_socket.hpp"
#include "tools/bench/kernel/surroundings.hpp"

namespace hotpair::bench::kernel {
namespace {

namespace control = dataplane::control;

constexpr std::uint16_t kGroup = 7;
constexpr std::uint64_t kEpoch = 1;

Status write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return fail_with("cannot write " + path);
  return Ok{};
}

// Each end has a machine of its own in the field; here it has a CPU of its own, where there are
// two. Its threads, where it is to have some, are on the other end's.
std::string lcores_of(int chassis, bool threads) {
  const auto last = sys::last_of_several_cpus();
  if (!last) return "";
  const std::string own = std::to_string(*last + 1 - static_cast<unsigned>(chassis));
  const std::string other = std::to_string(*last + static_cast<unsigned>(chassis) - 2);
  return ", lcores: [" + own + (threads ? ", " + other : "") + "]";
}

Status write_configuration(const std::string& directory, int chassis, const HotpairSetup& setup) {
  if (Status node = write(directory + "/node.yaml",
                          "chassis_id: " + std::to_string(chassis) +
                              "\nheartbeat_interfaces: [{ interface: ha0 }]\nsession_sync: { "
                              "devices: [\"net_af_packet0,iface=" +
                              TwoBoxes::kDevice + "\"], hugepages: false" +
                              lcores_of(chassis, setup.threads) + " }\n");
      !node.ok())
    return node;
  return write(directory + "/cluster.yaml", "group_id: " + std::to_string(kGroup) +
                                                "\ngroup_name: bench\n"
                                                "session_pickup: { enabled: true, from: " +
                                                setup.from + " }\n");
}

}  // namespace

class HotpairPair::Dataplane {
 public:
  static Result<Dataplane> start(const TwoBoxes& boxes, int box, const std::string& directory,
                                 const HotpairSetup& setup) {
    if (Status written = write_configuration(directory, box + 1, setup); !written.ok())
      return fail(written.error());
    auto listener =
        sys::UnixListener::listen(directory + "/" + control::kSocketName, sys::UnixKind::seqpacket);
    if (!listener.ok()) return fail(listener.error());
    auto started = Program::start(
        boxes, box, {setup.program, "--config-dir", directory, "--run-dir", directory},
        directory + "/log");
    if (!started.ok()) return fail(started.error());
    Dataplane out(std::move(listener).value(), std::move(started).value(), directory);
    if (box == 1 && !setup.one_kernel)
      out.silence_ = [&boxes, box] { boxes.raise_events(box, false); };
    return out;
  }

  Program& program() { return program_; }
  const Program& program() const { return program_; }
  std::uint64_t sessions() const { return state_.sessions; }
  bool in_sync(control::Role as) const { return state_.in_sync && state_.role == as; }

  void rekey(const control::SetKeys& keys) {
    if (socket_) (void)socket_.send(control::encode(control::ToDataplane(keys)));
    state_.in_sync = false;  // until it says so anew
  }

  Status work(const control::SetKeys& keys, int chassis, control::Role role) {
    if (!program_.running())
      return fail_with("hotpair-dataplane ended; the end of what it said:\n" + last_words());
    if (!socket_) {
      if (auto accepted = listener_.accept()) socket_ = std::move(*accepted);
      return Ok{};
    }
    while (socket_.receive(buffer_, control::kMaxMessage) == sys::UnixSocket::Outcome::done) {
      const auto message = control::decode_to_agent(buffer_);
      if (!message.ok()) return fail(message.error());
      if (std::holds_alternative<control::Hello>(*message)) greet(keys, chassis, role);
      if (const auto* state = std::get_if<control::State>(&*message)) state_ = *state;
    }
    return Ok{};
  }

 private:
  Dataplane(sys::UnixListener listener, Program program, std::string directory)
      : listener_(std::move(listener)),
        program_(std::move(program)),
        directory_(std::move(directory)) {}

  void greet(const control::SetKeys& keys, int chassis, control::Role role) {
    const auto send = [this](const control::ToDataplane& message) {
      (void)socket_.send(control::encode(message));
    };
    // It has set up its kernel by now, and has no session yet.
    if (silence_) silence_();
    send(control::Welcome{control::kControlVersion, static_cast<std::uint8_t>(chassis), kGroup});
    send(keys);
    send(control::SetRole{1, role, kEpoch});
  }

  std::string last_words() const {
    std::ifstream file(directory_ + "/log");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    return text.substr(text.size() > 2000 ? text.size() - 2000 : 0);
  }

  sys::UnixListener listener_;
  Program program_;
  std::string directory_;
  std::function<void()> silence_;
  sys::UnixSocket socket_;
  control::State state_;
  std::vector<std::uint8_t> buffer_;
};

HotpairPair::HotpairPair(const TwoBoxes& boxes, std::string directory, HotpairSetup setup)
    : boxes_(boxes), directory_(std::move(directory)), setup_(std::move(setup)) {
  draw_keys();
}

void HotpairPair::draw_keys() {
  sys::random_bytes(keys_.tx_key);
  sys::random_bytes(keys_.rx_key);
  keys_.tx_key_id += keys_.tx_key_id == 0 ? 1 : 2;
  keys_.rx_key_id += 2;
}

control::SetKeys HotpairPair::keys_of(int box) const {
  control::SetKeys keys = keys_;
  if (box == 0) return keys;
  std::swap(keys.tx_key, keys.rx_key);
  std::swap(keys.tx_key_id, keys.rx_key_id);
  return keys;
}

HotpairPair::~HotpairPair() = default;

Status HotpairPair::start(int box) {
  const std::string own = directory_ + "/hotpair" + std::to_string(box + 1);
  std::filesystem::create_directories(own);
  auto end = Dataplane::start(boxes_, box, own, setup_);
  if (!end.ok()) return fail(end.error());
  ends_[static_cast<std::size_t>(box)] = std::make_unique<Dataplane>(std::move(end).value());
  return Ok{};
}

Status HotpairPair::kill_and_restart(int box) {
  ends_[static_cast<std::size_t>(box)].reset();
  draw_keys();
  ends_[static_cast<std::size_t>(1 - box)]->rekey(keys_of(1 - box));
  return start(box);
}

Status HotpairPair::work() {
  if (Status primary = ends_[0]->work(keys_of(0), 1, control::Role::primary); !primary.ok())
    return primary;
  return ends_[1] ? ends_[1]->work(keys_of(1), 2, control::Role::backup) : Status(Ok{});
}

bool HotpairPair::ready() {
  // The primary's proof may be of a backup that has been killed since: its successor must agree.
  return ends_[0]->in_sync(control::Role::primary) &&
         (!ends_[1] || ends_[1]->in_sync(control::Role::backup));
}

std::uint64_t HotpairPair::sessions() const {
  return ends_[0]->sessions();
}

double HotpairPair::cpu_seconds(int end) const {
  const auto& running = ends_[static_cast<std::size_t>(end)];
  return running ? running->program().cpu_seconds() : 0;
}

void add_hotpair_options(CLI::App& command, HotpairSetup& setup) {
  setup.program = find_dataplane();
  command.add_option("--dataplane", setup.program, "the hotpair-dataplane to run")
      ->capture_default_str();
  if (!setup.one_kernel)
    command.add_flag("--one-kernel", setup.one_kernel,
                     "let hotpair's backup make events for the primary's listener, as two "
                     "namespaces of one kernel do and two boxes do not");
  command.add_flag("--threads", setup.threads,
                   "let hotpair read and write the kernels' tables in threads beside its lcores, "
                   "as with two CPUs in session_sync.lcores");
}

Result<std::unique_ptr<Replicator>> start_hotpair(const TwoBoxes& boxes,
                                                  const std::string& directory,
                                                  const HotpairSetup& setup) {
  auto pair = std::make_unique<HotpairPair>(boxes, directory, setup);
  for (const int box : {0, 1})
    if (Status started = pair->start(box); !started.ok()) return fail(started.error());
  return std::unique_ptr<Replicator>(std::move(pair));
}

}  // namespace hotpair::bench::kernel
