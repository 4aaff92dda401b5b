// Requests on the control socket that are not what they should be.
#include <gtest/gtest.h>

#include "agent/daemon/command_arguments.hpp"

namespace hotpair::daemon {
namespace {

std::string mistake(const std::string& request) {
  const auto json = nlohmann::json::parse(request);
  return mistake_in_arguments(json["command"], json);
}

TEST(CommandArgumentsTest, WhatTheToolAsksIsTaken) {
  for (const char* request :
       {R"({"command":"status"})", R"({"command":"failover","force":true,"dry_run":false})",
        R"({"command":"history","limit":1})", R"({"command":"force","state":"backup"})",
        R"({"command":"password","action":"switch","back":true})",
        R"({"command":"what_if","assumptions":[]})"})
    EXPECT_EQ(mistake(request), "") << request;
}

TEST(CommandArgumentsTest, AMisspeltRehearsalIsNoFailover) {
  EXPECT_EQ(mistake(R"({"command":"failover","dry-run":true})"),
            "failover takes no 'dry-run'; it takes force, dry_run");
  EXPECT_EQ(mistake(R"({"command":"status","verbose":1})"),
            "status takes no 'verbose'; it takes nothing");
}

TEST(CommandArgumentsTest, AnotherTypeIsNotTakenForAnotherValue) {
  EXPECT_EQ(mistake(R"({"command":"failover","force":"yes"})"), "\"force\" is true or false");
  EXPECT_EQ(mistake(R"({"command":"force","state":7})"), "\"state\" is a text");
  for (const char* limit : {"-5", "0", "1e300", "1.5", "99999999999999999999", "\"3\"", "null"})
    EXPECT_EQ(mistake(R"({"command":"history","limit":)" + std::string(limit) + "}"),
              "\"limit\" is a whole number above 0")
        << limit;
}

TEST(CommandArgumentsTest, CommandsOfOthersAreNotJudged) {
  EXPECT_EQ(mistake(R"({"command":"config","whatever":1})"), "");
}

}  // namespace
}  // namespace hotpair::daemon
