#include "agent/daemon/web_page.hpp"

#include "platform/base/assert.hpp"
#include "platform/linux/crypto.hpp"
#include "platform/linux/files.hpp"

namespace hotpair::daemon {
namespace {

constexpr mode_t kOthersMay = 0007;
constexpr std::string_view kScheme = "Bearer ";

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// RFC 4648.
std::string base64(Bytes bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t some = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < some ? bytes[at + i] : 0u);
    for (std::size_t i = 0; i < 4; ++i)
      out.push_back(i <= some ? kDigits[group >> (18 - 6 * i) & 63] : '=');
  }
  return out;
}

// What stands in the one element of that name, as a source of the policy.
std::string source_of(std::string_view tag) {
  const std::string open = "<" + std::string(tag) + ">", close = "</" + std::string(tag) + ">";
  const std::size_t begin = kWebPage.find(open) + open.size(), end = kWebPage.find(close);
  HOTPAIR_ASSERT(begin < end && end != std::string_view::npos);
  const auto digest = sys::sha256(bytes_of(kWebPage.substr(begin, end - begin)));
  return "'sha256-" + base64(digest) + "'";
}

}  // namespace

sys::HttpResponse web_page() {
  static const std::string kPolicy =
      "default-src 'none'; script-src " + source_of("script") + "; style-src " +
      source_of("style") +
      "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  sys::HttpResponse response;
  response.content_type = "text/html; charset=utf-8";
  response.body = kWebPage;
  response.fields = {{"Content-Security-Policy", kPolicy},
                     {"Referrer-Policy", "no-referrer"},
                     {"X-Frame-Options", "DENY"},
                     {"Cross-Origin-Resource-Policy", "same-origin"}};
  return response;
}

Result<WebToken> WebToken::read(const std::string& path) {
  const auto content = sys::read_file(path, 2 * kLongest);
  if (!content) return fail_with("the token cannot be read: " + content.error().message);
  if (content->mode & kOthersMay)
    return fail_with("everybody may read the token in " + path + "; mend it with 'chmod 0600 " +
                     path + "'");
  std::string token = content->text.substr(0, content->text.find_first_of("\r\n"));
  if (token.size() < kShortest || token.size() > kLongest)
    return fail_with("the token in " + path +
                     " is not of 16 to 256 bytes; make one with 'umask 077; openssl rand -hex 32 "
                     ">" +
                     path + "'");
  WebToken out;
  out.token_ = std::move(token);
  return out;
}

bool WebToken::admits(const sys::HttpRequest& request) const {
  if (!token_) return true;
  const std::string_view said = request.field("authorization");
  if (!said.starts_with(kScheme)) return false;
  // Of their digests, so that the time tells nothing of the token's length either.
  const auto ours = sys::sha256(bytes_of(*token_)),
             theirs = sys::sha256(bytes_of(said.substr(kScheme.size())));
  return sys::equal_secrets(ours, theirs);
}

}  // namespace hotpair::daemon
