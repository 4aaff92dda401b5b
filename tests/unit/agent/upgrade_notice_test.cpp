// What the status says of an upgrade, of the files that it leaves in the state directory.
#include "agent/daemon/upgrade_notice.hpp"

#include <gtest/gtest.h>

namespace hotpair::daemon {
namespace {

using nlohmann::json;

UpgradeFiles files(const char* state, bool driven) {
  const json run = {{"state", state},
                    {"driver", 2},
                    {"began", "2026-03-01T12:00:00.120Z"},
                    {"command", "true"},
                    {"nodes", {{{"name", "fw1"}}, {{"name", "fw2"}}}},
                    {"at", {{"step", 3}, {"of", 9}, {"title", "fw1: the command runs"}}},
                    {"why", state == std::string("stopped") ? "exit status 1" : ""},
                    {"next", state == std::string("stopped") ? "mend it" : ""}};
  return {run.dump(), "20260301120000-2 fw2\n", driven, "2026-03-01T12:01:00Z"};
}

TEST(UpgradeNoticeTest, the_node_that_drives_tells_the_step_and_what_to_type) {
  const json running = upgrade_json(files("running", true));
  EXPECT_EQ(running["state"], "running");
  EXPECT_EQ(running["driver"], "fw2");
  EXPECT_EQ(running["step"], 3u);
  EXPECT_EQ(running["of"], 9u);
  EXPECT_EQ(running["step_since"], "2026-03-01T12:01:00Z");
  EXPECT_NE(running["next"].get<std::string>().find("--status"), std::string::npos);
  const json stopped = upgrade_json(files("stopped", false));
  EXPECT_EQ(stopped["state"], "stopped");
  EXPECT_EQ(stopped["why"], "exit status 1");
  EXPECT_EQ(stopped["next"], "mend it");
}

TEST(UpgradeNoticeTest, a_run_that_nobody_drives_any_more_was_cut_off) {
  const json cut = upgrade_json(files("running", false));
  EXPECT_EQ(cut["state"], "cut off");
  EXPECT_NE(cut["next"].get<std::string>().find("--resume"), std::string::npos);
}

TEST(UpgradeNoticeTest, the_other_node_tells_where_to_ask) {
  const json other = upgrade_json({"", "20260301120000-2 fw2\n", false, ""});
  EXPECT_EQ(other["state"], "elsewhere");
  EXPECT_EQ(other["driver"], "fw2");
  EXPECT_EQ(other["began"], "2026-03-01T12:00:00Z");
}

TEST(UpgradeNoticeTest,
     the_other_node_adds_the_step_that_the_driver_tells_and_keeps_its_own_advice) {
  json other = upgrade_json({"", "20260301120000-2 fw2\n", false, ""});
  const json mine = other;
  add_drivers(other, upgrade_json(files("stopped", false)));
  EXPECT_EQ(other["state"], "elsewhere");
  EXPECT_EQ(other["at_driver"], "stopped");
  EXPECT_EQ(other["step"], 3u);
  EXPECT_EQ(other["step_since"], "2026-03-01T12:01:00Z");
  EXPECT_EQ(other["why"], "exit status 1");
  EXPECT_EQ(other["next"], mine["next"]);
  for (const json& nothing : {json(), json::object(), mine, json{{"state", 5}, {"step", "x"}}}) {
    json unchanged = mine;
    add_drivers(unchanged, nothing);
    EXPECT_EQ(unchanged, mine);
  }
}

TEST(UpgradeNoticeTest, what_is_over_or_no_sense_is_nothing) {
  EXPECT_TRUE(upgrade_json({}).is_null());
  auto over = files("finished", false);
  over.claim.clear();
  EXPECT_TRUE(upgrade_json(over).is_null());
  EXPECT_TRUE(upgrade_json({"{", "", false, ""}).is_null());
  EXPECT_TRUE(upgrade_json({"[]", "one", false, ""}).is_null());
  EXPECT_EQ(upgrade_json({R"({"state": "stopped", "nodes": [1, 2], "at": 5, "driver": 2})", "",
                          false, ""})["state"],
            "stopped");
}

}  // namespace
}  // namespace hotpair::daemon
