#include "platform/linux/machine.hpp"

#include <cerrno>
#include <charconv>
#include <string_view>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/files.hpp"

namespace hotpair::sys {
namespace {

constexpr std::size_t kMaxFact = 64 * 1024;

std::optional<std::uint64_t> limit_of(pid_t pid, __rlimit_resource resource) {
  rlimit limit{};
  if (prlimit(pid, resource, nullptr, &limit) != 0) return std::nullopt;
  return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

// The word behind "name:" in a file of such lines.
std::string_view value_of(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  text.remove_prefix(first);
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::optional<bool> clock_is_synchronised() {
  timex clock{};
  if (adjtimex(&clock) < 0) return std::nullopt;
  return (clock.status & STA_UNSYNC) == 0;
}

std::optional<bool> has_nf_tables() {
  const FileDescriptor fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd) return errno == EPROTONOSUPPORT ? std::optional(false) : std::nullopt;
  const timeval patience{1, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  struct {
    nlmsghdr header;
    nfgenmsg family;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  if (send(fd.get(), &request, sizeof request, 0) < 0) return std::nullopt;
  struct {
    nlmsghdr header;
    nlmsgerr error;
    char rest[4096];
  } answer{};
  const ssize_t got = recv(fd.get(), &answer, sizeof answer, 0);
  if (got < static_cast<ssize_t>(sizeof answer.header)) return std::nullopt;
  if (answer.header.nlmsg_type != NLMSG_ERROR) return true;
  if (answer.error.error == -EPERM) return std::nullopt;
  return answer.error.error == 0;
}

ProcessRights read_process_rights(pid_t pid) {
  ProcessRights rights;
  rights.realtime_limit = limit_of(pid, RLIMIT_RTPRIO);
  rights.locked_bytes_limit = limit_of(pid, RLIMIT_MEMLOCK);
  const auto status = read_fact("/proc/" + std::to_string(pid) + "/status");
  if (!status) return rights;
  const std::string_view hex = value_of(*status, "CapEff:");
  std::uint64_t bits = 0;
  if (std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16).ec == std::errc())
    rights.capabilities = bits;
  return rights;
}

std::optional<std::string> read_fact(const std::string& path) {
  auto content = read_file(path, kMaxFact);
  if (!content) return std::nullopt;
  std::string text = std::move(content->text);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.pop_back();
  return text;
}

}  // namespace hotpair::sys
