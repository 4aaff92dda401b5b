#include "platform/linux/sysctl.hpp"

#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/files.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr std::size_t kMaxSetting = 4096;

Result<std::string> path_of(const std::string& name) {
  if (name.empty() || name.front() == '/' || ("/" + name + "/").find("/../") != std::string::npos)
    return fail_with("'" + name + "' is not the name of a kernel setting; see 'sysctl -a'");
  return "/proc/sys/" + name;
}

}  // namespace

Result<std::string> read_sysctl(const std::string& name) {
  const auto path = path_of(name);
  if (!path) return fail(path.error());
  auto content = read_file(*path, kMaxSetting);
  if (!content)
    return fail_with("the kernel setting " + name + " cannot be read: " + content.error().message);
  std::string value = std::move(content->text);
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

Result<std::int64_t> read_sysctl_number(const std::string& name) {
  const auto text = read_sysctl(name);
  if (!text) return fail(text.error());
  std::int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc{} || at != end)
    return fail_with("the kernel setting " + name + " is not a number: '" + *text + "'");
  return value;
}

Status write_sysctl(const std::string& name, const std::string& value) {
  const auto path = path_of(name);
  if (!path) return fail(path.error());
  const FileDescriptor fd(open(path->c_str(), O_WRONLY | O_CLOEXEC));
  const std::string what = "cannot set " + name + " to " + value;
  if (!fd) return fail_errno(what, errno);
  if (write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size()))
    return fail_errno(what, errno);
  return Ok{};
}

}  // namespace hotpair::sys
