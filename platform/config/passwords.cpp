#include <algorithm>
#include <cstdlib>

#include "platform/config/config.hpp"
#include "platform/linux/files.hpp"

namespace hotpair::config {
namespace {

constexpr std::size_t kMaxPassword = 256;
constexpr std::size_t kMaxFile = 16 * kMaxPassword;
constexpr mode_t kOthersMay = 0007;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(std::move(line));
    at = end + 1;
  }
  while (lines.size() > 1 && lines.back().empty()) lines.pop_back();
  return lines;
}

Status check_password(const std::string& password, const std::string& path, const char* which) {
  const std::string where = std::string("the ") + which + " line of " + path;
  if (password.empty())
    return fail_with(where + " is empty; write a password there, e.g. by 'openssl rand -hex 32'");
  if (password.size() > kMaxPassword)
    return fail_with(where +
                     " is longer than 256 bytes; choose a shorter password, e.g. by "
                     "'openssl rand -hex 32'");
  if (std::any_of(password.begin(), password.end(),
                  [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return fail_with(where +
                     " has control characters; make it text, e.g. by 'openssl rand -hex 32'");
  return Ok{};
}

// The credential is a copy that systemd makes when the service starts and never again, so a file
// that was changed since holds what is meant now.
std::string place_of_password(const std::string& file) {
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  if (credentials == nullptr) return file;
  const std::string credential = std::string(credentials) + "/password";
  const auto copy = sys::read_file(credential, kMaxFile);
  if (!copy) return copy.error().kind == sys::ReadFailure::missing ? file : credential;
  const auto original = sys::read_file(file, kMaxFile);
  return original && original->changed_ns > copy->changed_ns ? file : credential;
}

}  // namespace

Result<Passwords> load_passwords(const ClusterFile& cluster) {
  const std::string path = place_of_password(cluster.password_file);
  const auto content = sys::read_file(path, kMaxFile);
  if (!content && content.error().kind == sys::ReadFailure::missing)
    return fail_with("there is no password: " + path +
                     " does not exist; make one with 'umask 077; "
                     "openssl rand -hex 32 > " +
                     path + "' and copy it to the peer");
  if (!content) return fail_with("the password cannot be read: " + content.error().message);
  if (content->mode & kOthersMay)
    return fail_with("everybody may read the password in " + path + "; mend it with 'chmod 0600 " +
                     path + "'");
  const std::vector<std::string> lines = lines_of(content->text);
  Passwords passwords;
  if (!lines.empty()) passwords.current = lines[0];
  if (Status fine = check_password(passwords.current, path, "first"); !fine)
    return fail(fine.error());
  if (lines.size() > 2)
    return fail_with(path + " has " + std::to_string(lines.size()) +
                     " lines; it holds the password and, during a rotation, the next one");
  if (lines.size() == 2) {
    if (Status fine = check_password(lines[1], path, "second"); !fine) return fail(fine.error());
    passwords.next = lines[1];
  }
  return passwords;
}

}  // namespace hotpair::config
