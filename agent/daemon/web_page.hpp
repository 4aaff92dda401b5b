// The page that a browser sees, web_page.html, as it was when this was built, and who may see what
// it shows. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/base/result.hpp"
#include "platform/linux/http_message.hpp"

namespace hotpair::daemon {

extern const std::string_view kWebPage;

// The page with a policy that lets it run its own script, use its own style and ask this server,
// and nothing else.
sys::HttpResponse web_page();

// The token behind which the status is; read once, compared in constant time.
class WebToken {
 public:
  static constexpr std::size_t kShortest = 16, kLongest = 256;

  WebToken() = default;  // everybody may: of a Unix socket the file says who
  // Refuses a file that others may read, and a token that is too short or long.
  static Result<WebToken> read(const std::string& path);

  // By "Authorization: Bearer TOKEN".
  bool admits(const sys::HttpRequest& request) const;

 private:
  std::optional<std::string> token_;
};

}  // namespace hotpair::daemon
