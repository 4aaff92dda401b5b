// The page: nothing but itself may run or be asked, and the token opens what it shows.
#include "agent/daemon/web_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

sys::HttpRequest with(const std::string& authorization) {
  return {"GET", "/status.json", "", {{"authorization", authorization}}};
}

TEST(WebPageTest, NeedsNothingFromElsewhereAndItsPolicySaysSo) {
  const auto page = web_page();
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("</html>"));
  for (const char* foreign :
       {"src=", "href=", "@import", "url(", "innerHTML", "eval(", " style=\"", "onclick"})
    EXPECT_THAT(page.body, Not(HasSubstr(foreign)));
  ASSERT_EQ(page.fields[0].first, "Content-Security-Policy");
  EXPECT_THAT(page.fields[0].second,
              testing::MatchesRegex("default-src 'none'; script-src 'sha256-[A-Za-z0-9+/]+='; "
                                    "style-src 'sha256-[A-Za-z0-9+/]+='; connect-src 'self'; "
                                    "base-uri 'none'; form-action 'none'; "
                                    "frame-ancestors 'none'"));
}

TEST(WebTokenTest, AdmitsWhoKnowsIt) {
  const test::TemporaryDirectory directory;
  const auto token = WebToken::read(directory.write("token", "0123456789abcdef\n"));
  ASSERT_TRUE(token);
  EXPECT_TRUE(token->admits(with("Bearer 0123456789abcdef")));
  for (const char* wrong : {"", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdefg",
                            "bearer 0123456789abcdef", "Basic 0123456789abcdef", "0123456789abcdef",
                            "Bearer 0123456789abcdeF"})
    EXPECT_FALSE(token->admits(with(wrong))) << wrong;
  EXPECT_FALSE(token->admits({"GET", "/", "", {}}));
  EXPECT_TRUE(WebToken().admits({"GET", "/", "", {}}));
}

TEST(WebTokenTest, RefusesAFileThatKeepsNoSecret) {
  const test::TemporaryDirectory directory;
  const auto problem = [](const std::string& path) { return WebToken::read(path).error().message; };
  EXPECT_THAT(problem(directory.file("none")), HasSubstr("does not exist"));
  EXPECT_THAT(problem(directory.write("open", "0123456789abcdef\n", 0644)),
              HasSubstr("everybody may read"));
  EXPECT_THAT(problem(directory.write("short", "0123456789abcde\n")), HasSubstr("16 to 256 bytes"));
  EXPECT_THAT(problem(directory.write("long", std::string(257, 'x') + "\n")),
              HasSubstr("16 to 256 bytes"));
}

}  // namespace
}  // namespace hotpair::daemon
