// What who watches is told: the alarms, the counts, and all of it as OpenMetrics.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/daemon/alarms.hpp"
#include "agent/daemon/metrics_text.hpp"
#include "agent/daemon/open_metrics.hpp"
#include "agent/daemon/transition_counts.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(OpenMetricsTest, WritesEachKindAsTheSpecificationHasIt) {
  OpenMetrics out;
  out.family(OpenMetrics::Kind::gauge, "a_seconds", "Says \"how\\long\".\nHere.");
  out.add(0.25);
  out.family(OpenMetrics::Kind::counter, "b", "B.");
  out.add({{"l", "x\"\\\n"}, {"m", ""}}, 18446744073709551615.0);
  out.family(OpenMetrics::Kind::info, "c", "C.");
  out.add_info({{"version", "1"}});
  out.family(OpenMetrics::Kind::stateset, "d", "D.");
  out.add_state({{"node", "self"}}, {"on", "off"}, "off");
  out.family(OpenMetrics::Kind::histogram, "e_seconds", "E.");
  out.add_histogram({{"p", "q"}}, {{0.1, 1}, {1, 3}}, 4, 7.5);
  EXPECT_EQ(std::move(out).finish(), R"(# TYPE a_seconds gauge
# UNIT a_seconds seconds
# HELP a_seconds Says \"how\\long\".\nHere.
a_seconds 0.25
# TYPE b counter
# HELP b B.
b_total{l="x\"\\\n",m=""} 18446744073709551616
# TYPE c info
# HELP c C.
c_info{version="1"} 1
# TYPE d stateset
# HELP d D.
d{node="self",d="on"} 0
d{node="self",d="off"} 1
# TYPE e_seconds histogram
# UNIT e_seconds seconds
# HELP e_seconds E.
e_seconds_bucket{p="q",le="0.1"} 1
e_seconds_bucket{p="q",le="1"} 3
e_seconds_bucket{p="q",le="+Inf"} 4
e_seconds_count{p="q"} 4
e_seconds_sum{p="q"} 7.5
# EOF
)");
}

json node(const char* name) {
  return {{"hostname", name},
          {"chassis_id", name[2] - '0'},
          {"role", "backup"},
          {"epoch", 12},
          {"forced", "none"},
          {"health", {{"management_link", true}, {"failed_modules", 0}, {"priority", 128}}},
          {"lost_interfaces", json::array()},
          {"dataplane_alive", true},
          {"alive", true},
          {"sessions", 9}};
}

json path(const char* interface) {
  return {{"path", 0},
          {"kind", "heartbeat"},
          {"interface", interface},
          {"alive", true},
          {"heard_by_peer", true},
          {"received", 1000},
          {"jitter", {{"recent_max_ms", 1.5}, {"late", 3}}}};
}

json healthy() {
  return {{"ok", true},
          {"version", "0.1.0"},
          {"role", "primary"},
          {"in_sync", true},
          {"node", node("fw1")},
          {"peer", node("fw2")},
          {"protocol", {{"agreed", 1}}},
          {"session_pickup", true},
          {"replication", {{"lag_sessions", 4}, {"lag_us", 300}}},
          {"heartbeat_paths", {path("ha0"), path("ha1")}},
          {"addresses", {{{"interface", "lan"}, {"address", "192.0.2.1/24"}, {"held", true}}}},
          {"mismatches", json::array()},
          {"failing", json::array()},
          {"dual_primary", false},
          {"sync_overdue", false},
          {"suppressed", ""},
          {"conflict", ""},
          {"rejected", {{"wrong_tag", 7}}},
          {"warnings", json::array()}};
}

std::vector<std::string> texts(const json& status) {
  std::vector<std::string> list;
  for (const auto& alarm : alarms_json(status)) list.push_back(alarm["text"]);
  return list;
}

TEST(AlarmsTest, AHealthyPairHasNone) {
  EXPECT_TRUE(alarms_json(healthy()).empty());
}

TEST(AlarmsTest, NameEverythingThatIsWrong) {
  json status = healthy();
  status["node"]["forced"] = "backup";
  status["peer"]["lost_interfaces"] = {"tenant-a/wan"};
  status["peer"]["lacks"] = "vrf-b of logical system tenant-b";
  status["heartbeat_paths"][1]["alive"] = false;
  status["suppressed"] = "until 12:00:05";
  status["warnings"] = {"a", "b"};
  EXPECT_THAT(texts(status),
              ElementsAre("fw1 is FORCED to backup by an operator", "fw2 has lost tenant-a/wan",
                          "fw2 LACKS vrf-b of logical system tenant-b: the role does not move "
                          "there by choice",
                          "1 of 2 heartbeat paths DEAD (ha1)",
                          "a move is HELD BACK: until 12:00:05", "2 warnings"));
}

TEST(AlarmsTest, EachIsOfAKindThatIsKnown) {
  json status = healthy();
  for (const char* part : {"node", "peer"}) {
    status[part]["forced"] = part == std::string("node") ? "maintenance" : "primary";
    status[part]["health"] = {{"management_link", false}, {"failed_modules", 2}};
    status[part]["lost_interfaces"] = {"lan"};
    status[part]["lacks"] = "logical system tenant-a";
    status[part]["dataplane_alive"] = false;
  }
  status["mismatches"] = {{{"kind", "wrong password"}, {"interface", "ha0"}, {"last_seen_ms", 5}},
                          {{"kind", "of old"}, {"interface", "ha0"}, {"last_seen_ms", 90'000}}};
  status["conflict"] = "somebody";
  status["dual_primary"] = status["sync_overdue"] = true;
  status["heartbeat_paths"][0]["heard_by_peer"] = false;
  status["addresses"][0]["held"] = false;
  status["failing"] = {"the state cannot be written"};
  status["protocol"]["agreed"] = nullptr;
  status["suppressed"] = "hold";
  status["config"] = {{"known", true}, {"in_sync", 0}};
  status["warnings"] = {"a"};
  json alone = healthy();
  alone["peer"] = nullptr;
  std::set<std::string> kinds;
  for (const json& one : {status, alone})
    for (const auto& alarm : alarms_json(one)) {
      kinds.insert(alarm["kind"].get<std::string>());
      EXPECT_NE(alarm["id"], "") << alarm["kind"];
    }
  const auto known = alarm_kinds();
  EXPECT_EQ(kinds, std::set<std::string>(known.begin(), known.end()));
}

TEST(AlarmsTest, ASilentPeerIsOneAndIsNotAccusedOfWhatItSaidLast) {
  json status = healthy();
  status["peer"]["alive"] = false;
  status["peer"]["lost_interfaces"] = {"wan"};
  status["heartbeat_paths"][0]["alive"] = false;
  EXPECT_THAT(texts(status), ElementsAre("fw2 is not heard: there is NO BACKUP"));
  status["peer"] = nullptr;
  EXPECT_THAT(texts(status), ElementsAre("the other node is not heard: there is NO BACKUP"));
}

TEST(TransitionCountsTest, CountsRolesAndTimesOfPhases) {
  TransitionCounts counts;
  agent::ReportRoleChange change;
  change.to = agent::Role::primary;
  change.kind = agent::ReportRoleChange::Kind::failover;
  counts.note(change);
  counts.note(change);
  agent::ReportTransaction transaction;
  transaction.total = 3ms;
  transaction.steps.push_back({"claim", 1ms, true, {}});
  transaction.steps.push_back({"data plane", 50ms, false, "no answer"});
  counts.note(transaction);
  const json said = counts.to_json();
  EXPECT_EQ(said["role_changes"], json::parse(R"([{"to":"primary","kind":"failover","count":2}])"));
  EXPECT_EQ(said["takeover"]["count"], 1);
  EXPECT_EQ(said["giving_back"]["count"], 0);
  EXPECT_EQ(said["phases"]["data plane"]["failed"], 1);
  EXPECT_EQ(said["phases"]["claim"]["buckets"][0]["count"], 0);  // 0.5 ms
  EXPECT_EQ(said["phases"]["claim"]["buckets"][1]["count"], 1);  // 1 ms
  EXPECT_DOUBLE_EQ(said["phases"]["claim"]["sum_seconds"], 0.001);
}

json with_all(json status) {
  TransitionCounts counts;
  agent::ReportTransaction transaction;
  transaction.total = 3ms;
  transaction.steps.push_back({"claim", 1ms, true, {}});
  counts.note(transaction);
  status["transitions"] = counts.to_json();
  status["alarms"] = alarms_json(status);
  return status;
}

TEST(MetricsTextTest, SaysWhatTheStatusSays) {
  json status = healthy();
  status["suppressed"] = "hold";
  status["routes"] = {{"in_sync", 0},   {"lag_ms", 1500}, {"routes", 7},
                      {"installed", 5}, {"refused", 2},   {"left_out", {{"encapsulated", 3}}}};
  status["logical_systems"] = {
      {{"name", "a"}, {"zone", 10}, {"state", "complete"}, {"peer", {{"state", "incomplete"}}}}};
  status["snmp_trap"] = {{"sent", 9}, {"failed", 1}, {"held_back", 0}};
  const std::string text = metrics_text({with_all(status),
                                         {{"ok", true},
                                          {"sessions_of_zones", {{"10", 4}}},
                                          {"counters", {{"frames_sent", 5}, {"Not a name", 1}}}}});
  for (const char* line :
       {"hotpair_up 1\n",
        "hotpair_build_info{version=\"0.1.0\"} 1\n",
        "hotpair_role{node=\"self\",hotpair_role=\"backup\"} 1\n",
        "hotpair_role{node=\"self\",hotpair_role=\"primary\"} 0\n",
        "hotpair_epoch{node=\"peer\"} 12\n",
        "hotpair_in_sync 1\n",
        "hotpair_replication_lag_sessions 4\n",
        "hotpair_alarms{kind=\"held-back\"} 1\n",
        "hotpair_alarms{kind=\"paths-dead\"} 0\n",
        "hotpair_path_heartbeats_late_total{path=\"0\",kind=\"heartbeat\",interface=\"ha1\"} 3\n",
        "hotpair_path_jitter_recent_seconds{path=\"0\",kind=\"heartbeat\",interface=\"ha0\"} "
        "0.0015\n",
        "hotpair_rejected_frames_total{reason=\"wrong_tag\"} 7\n",
        "hotpair_phase_seconds_bucket{phase=\"claim\",le=\"0.001\"} 1\n",
        "hotpair_takeover_seconds_count 1\n",
        "hotpair_dataplane_up 1\n",
        "hotpair_routes_in_sync 0\n",
        "hotpair_routes_lag_seconds 1.5\n",
        "hotpair_routes 7\n",
        "hotpair_routes_at_backup{state=\"refused\"} 2\n",
        "hotpair_routes_left_out{reason=\"encapsulated\"} 3\n",
        "hotpair_logical_system_complete{name=\"a\",node=\"peer\"} 0\n",
        "hotpair_logical_system_sessions{name=\"a\"} 4\n",
        "hotpair_traps_failed_total 1\n",
        "hotpair_dataplane_frames_sent_total 5\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, Not(HasSubstr("Not a name")));
  EXPECT_TRUE(text.ends_with("# EOF\n"));
}

TEST(MetricsTextTest, ADaemonThatDoesNotAnswerIsAValueToo) {
  const std::string text = metrics_text({});
  EXPECT_THAT(text, HasSubstr("hotpair_up 0\n"));
  EXPECT_THAT(text, HasSubstr("hotpair_dataplane_up 0\n"));
  EXPECT_TRUE(text.ends_with("# EOF\n"));
}

// Another version's daemon, or half a status: what is missing is left out.
TEST(MetricsTextTest, TakesAnyShapeOfAnAnswer) {
  const json odd = json::parse(
      R"({"node":7,"peer":[],"heartbeat_paths":{"a":1},"rejected":[1],"alarms":3,"transitions":{}})");
  EXPECT_TRUE(
      metrics_text({odd, json::parse(R"({"counters":[1],"port":null})")}).ends_with("# EOF\n"));
}

}  // namespace
}  // namespace hotpair::daemon
