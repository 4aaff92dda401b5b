// The little of HTTP/1.1 (RFC 9110, 9112) that a read-only service needs: the head of a request as
// it is read, and an answer as it is written. Pure. Bodies are not taken; a connection carries one
// request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hotpair::sys {

constexpr std::size_t kMaxHttpHead = 8 * 1024;  // request line and fields
constexpr std::size_t kMaxHttpFields = 64;

struct HttpRequest {
  std::string method;  // as it came: "GET"
  std::string path;    // "/metrics", without the query; not decoded
  std::string query;   // behind the '?'
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case

  // The value of the first field of that name (in lower case); empty when there is none.
  std::string_view field(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields = {};
};

// Where a head of this text ends (behind its empty line); none: not yet.
std::optional<std::size_t> end_of_head(std::string_view text);
// None: malformed. `head` ends with its empty line.
std::optional<HttpRequest> parse_http_request(std::string_view head);
// Without the body when it answers HEAD. Says that the connection ends with it.
std::string http_text(const HttpResponse& response, bool with_body);
HttpResponse http_error(int status, std::string_view sentence);

}  // namespace hotpair::sys
