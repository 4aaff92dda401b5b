// Two hotpair-dataplane, one box each. The bench plays both agents: it gives the keys and the
// roles.
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "dataplane/core/control.hpp"
#include "platform/linux/crypto.hpp"
#include "platform/linux/unix_socket.hpp"
#include "tools/bench/kernel/replicator.hpp"

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

Status write_configuration(const std::string& directory, int chassis) {
  if (Status node = write(directory + "/node.yaml",
                          "chassis_id: " + std::to_string(chassis) +
                              "\nheartbeat_interfaces: [{ interface: ha0 }]\nsession_sync: { "
                              "devices: [\"net_af_packet0,iface=" +
                              TwoBoxes::kDevice + "\"], hugepages: false }\n");
      !node.ok())
    return node;
  return write(directory + "/cluster.yaml", "group_id: " + std::to_string(kGroup) +
                                                "\ngroup_name: bench\n"
                                                "session_pickup: { enabled: true }\n");
}

class Dataplane {
 public:
  static Result<Dataplane> start(const TwoBoxes& boxes, int box, const std::string& directory,
                                 const std::string& program) {
    if (Status written = write_configuration(directory, box + 1); !written.ok())
      return fail(written.error());
    auto listener =
        sys::UnixListener::listen(directory + "/" + control::kSocketName, sys::UnixKind::seqpacket);
    if (!listener.ok()) return fail(listener.error());
    auto started =
        Program::start(boxes, box, {program, "--config-dir", directory, "--run-dir", directory},
                       directory + "/log");
    if (!started.ok()) return fail(started.error());
    return Dataplane(std::move(listener).value(), std::move(started).value(), directory);
  }

  Program& program() { return program_; }
  const Program& program() const { return program_; }
  bool in_sync() const { return state_.in_sync && state_.role == control::Role::primary; }

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
  sys::UnixSocket socket_;
  control::State state_;
  std::vector<std::uint8_t> buffer_;
};

class HotpairPair final : public Replicator {
 public:
  HotpairPair(Dataplane primary, Dataplane backup) : ends_{std::move(primary), std::move(backup)} {
    sys::random_bytes(keys_.tx_key);
    sys::random_bytes(keys_.rx_key);
    keys_.tx_key_id = 1;
    keys_.rx_key_id = 2;
  }

  Status work() override {
    control::SetKeys other = keys_;
    std::swap(other.tx_key, other.rx_key);
    std::swap(other.tx_key_id, other.rx_key_id);
    if (Status primary = ends_[0].work(keys_, 1, control::Role::primary); !primary.ok())
      return primary;
    return ends_[1].work(other, 2, control::Role::backup);
  }
  bool ready() override { return ends_[0].in_sync(); }
  double cpu_seconds() const override {
    return ends_[0].program().cpu_seconds() + ends_[1].program().cpu_seconds();
  }

 private:
  std::array<Dataplane, 2> ends_;
  control::SetKeys keys_;
};

}  // namespace

Result<std::unique_ptr<Replicator>> start_hotpair(const TwoBoxes& boxes,
                                                  const std::string& directory,
                                                  const std::string& dataplane) {
  std::vector<Dataplane> ends;
  for (const int box : {0, 1}) {
    const std::string own = directory + "/hotpair" + std::to_string(box + 1);
    std::filesystem::create_directories(own);
    auto end = Dataplane::start(boxes, box, own, dataplane);
    if (!end.ok()) return fail(end.error());
    ends.push_back(std::move(end).value());
  }
  return std::unique_ptr<Replicator>(
      std::make_unique<HotpairPair>(std::move(ends[0]), std::move(ends[1])));
}

}  // namespace hotpair::bench::kernel
