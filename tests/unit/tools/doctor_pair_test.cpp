// What the doctor makes of the agent's status.
#include <gtest/gtest.h>

#include "tools/ctl/doctor/config_checks.hpp"
#include "tools/ctl/doctor/pair_checks.hpp"

namespace hotpair::ctl {
namespace {

using Json = nlohmann::json;

Json node(const char* name, const char* role) {
  return {{"hostname", name},
          {"role", role},
          {"reason", "its reason"},
          {"addresses_held", std::string(role) == "primary"},
          {"health", {{"forced", "none"}, {"management_link", true}, {"failed_modules", 0u}}},
          {"dataplane_alive", true},
          {"lost_interfaces", Json::array()},
          {"alive", true},
          {"version", "0.1.0"},
          {"cluster_digest", "00ab"}};
}

Json path(const char* interface, const char* kind = "heartbeat") {
  return {{"interface", interface}, {"kind", kind},      {"link_up", true}, {"alive", true},
          {"heard_by_peer", true},  {"received", 9000u}, {"lost", 3u}};
}

class DoctorOfThePair : public testing::Test {
 protected:
  std::vector<std::string> found() const {
    Report report;
    check_pair(status, report);
    std::vector<std::string> ids;
    for (const auto& finding : report.findings()) ids.push_back(finding.id);
    return ids;
  }
  void expect(std::vector<std::string> ids) const { EXPECT_EQ(found(), ids); }

  Json status = {{"node", node("fw1", "primary")},
                 {"peer", node("fw2", "backup")},
                 {"version", "0.1.0"},
                 {"cluster_digest", "00ab"},
                 {"in_sync", true},
                 {"session_pickup", true},
                 {"dual_primary", false},
                 {"dual_primary_episodes", 0u},
                 {"suppressed", ""},
                 {"conflict", ""},
                 {"heartbeat_paths", {path("ha0"), path("ha1"), path("eth5", "session_sync")}},
                 {"addresses", {{{"address", "192.0.2.1/24"}, {"held", true}}}},
                 {"mismatches", Json::array()},
                 {"warnings", Json::array()}};
};

TEST_F(DoctorOfThePair, SaysNothingOfOneThatIsWell) {
  expect({});
}

TEST_F(DoctorOfThePair, NamesAMismatchByItsKindWithCauseAndMend) {
  status["mismatches"] = {{{"kind", "wrong_password"},
                           {"interface", "ha0"},
                           {"count", 77u},
                           {"last_seen_ms", 20},
                           {"detail", "another password"},
                           {"cause", "the files differ"},
                           {"advice", "make them the same"}}};
  Report report;
  check_mismatches(status, report);
  ASSERT_EQ(report.findings().size(), 1u);
  const Finding& finding = report.findings()[0];
  EXPECT_EQ(finding.id, "pair.wrong-password");
  EXPECT_EQ(finding.severity, Severity::problem);
  EXPECT_EQ(finding.cause, "the files differ");
  EXPECT_EQ(finding.mend, "make them the same");
}

TEST_F(DoctorOfThePair, ForgetsAMismatchThatIsOver) {
  status["mismatches"] = {{{"kind", "wrong_password"}, {"last_seen_ms", 60'000}}};
  Report report;
  check_mismatches(status, report);
  EXPECT_EQ(report.findings().at(0).severity, Severity::warning);
  status["mismatches"][0]["last_seen_ms"] = 4'000'000;
  expect({});
}

TEST_F(DoctorOfThePair, NamesASilentPeerOnceAndItsPaths) {
  status["peer"]["alive"] = false;
  status["in_sync"] = false;
  for (auto& one : status["heartbeat_paths"]) one["alive"] = false;
  expect({"pair.peer-silent", "pair.path-dead", "pair.path-dead", "pair.path-dead",
          "pair.not-in-sync"});
}

TEST_F(DoctorOfThePair, TellsADeadPathFromADeafOne) {
  status["heartbeat_paths"][0]["alive"] = false;
  expect({"pair.path-dead"});
  status["heartbeat_paths"][0] = path("ha0");
  status["heartbeat_paths"][0]["heard_by_peer"] = false;
  expect({"pair.path-one-way"});
  status["heartbeat_paths"][0] = path("ha0");
  status["heartbeat_paths"][0]["lost"] = 400u;
  expect({"pair.path-lossy"});
}

TEST_F(DoctorOfThePair, RaisesTheAlarmWhenOnePathIsLeft) {
  status["heartbeat_paths"][0]["alive"] = false;
  status["heartbeat_paths"][1]["alive"] = false;
  expect({"pair.path-dead", "pair.path-dead", "pair.one-path-left"});
}

TEST_F(DoctorOfThePair, SeesAForcedStateOnEitherNode) {
  status["peer"]["health"]["forced"] = "backup";
  expect({"pair.forced"});
}

TEST_F(DoctorOfThePair, SeesAddressesThatAreMissingLeftOverOrTwice) {
  status["addresses"][0]["held"] = false;
  expect({"pair.addresses-missing"});
  status["node"] = node("fw1", "backup");
  status["peer"] = node("fw2", "primary");
  status["addresses"][0]["held"] = true;
  expect({"pair.addresses-left-over"});
  status["node"]["addresses_held"] = true;
  expect({"pair.addresses-left-over", "pair.addresses-twice"});
}

TEST_F(DoctorOfThePair, SaysWhyThePairIsNotInSync) {
  status["in_sync"] = false;
  status["replication"] = {{"lag_sessions", 5000u}};
  Report report;
  check_sync(status, report);
  EXPECT_EQ(report.findings().at(0).cause, "5,000 sessions are still on their way");
  status["peer"]["dataplane_alive"] = false;
  expect({"pair.dataplane-down", "pair.not-in-sync"});
}

TEST_F(DoctorOfThePair, SeesThatTheNodesDisagree) {
  status["peer"]["cluster_digest"] = "00cd";
  status["peer"]["version"] = "0.2.0";
  expect({"pair.cluster-differs", "pair.version-differs"});
}

TEST_F(DoctorOfThePair, SeesThatTheNodesShareNoVersionOfTheProtocol) {
  status["protocol"] = {{"node", {{"lowest", 1u}, {"highest", 1u}}},
                        {"peer", {{"lowest", 2u}, {"highest", 3u}}},
                        {"agreed", nullptr}};
  Report report;
  check_agreement(status, report);
  EXPECT_EQ(
      report.findings().at(0).found,
      "the nodes have no version of the protocol in common: this one speaks 1, the peer 2 to 3");
  status["in_sync"] = false;
  expect({"pair.not-in-sync", "pair.protocol-differs"});
  status["protocol"]["agreed"] = 1u;
  expect({"pair.not-in-sync"});
}

TEST_F(DoctorOfThePair, NamesEachMtuAndCountsWhatElseTheBoxesDifferIn) {
  Report report;
  check_facts({{"ok", true},
               {"facts",
                {{{"name", "interface lan"}, {"own", "mtu 1500"}, {"peer", "mtu 9000"}},
                 {{"name", "interface wan"}, {"own", "-"}, {"peer", "mtu 1500"}},
                 {{"name", "version of hotpaird"}, {"own", "0.1.0"}, {"peer", "0.2.0"}},
                 {{"name", "kernel"}, {"own", "6.1"}, {"peer", "6.12"}}}}},
              report);
  ASSERT_EQ(report.findings().size(), 2u);
  EXPECT_EQ(report.findings()[0].found, "interface lan has mtu 1500 here and mtu 9000 at the peer");
  EXPECT_EQ(report.findings()[1].found,
            "the two boxes differ in 2 settings, modules or versions: interface wan, kernel");
  check_facts(nullptr, report);
  EXPECT_EQ(report.findings().size(), 2u);
}

TEST_F(DoctorOfThePair, SeesAHeldBackMoveAConflictAndPastEpisodes) {
  status["suppressed"] = "until 12:00:05";
  status["conflict"] = "another password on ha0";
  status["dual_primary_episodes"] = 2u;
  expect({"pair.suppressed", "pair.conflict", "pair.dual-primary-episodes"});
}

TEST_F(DoctorOfThePair, SeesTwoPrimariesAndNone) {
  status["dual_primary"] = true;
  expect({"pair.dual-primary"});
  status["dual_primary"] = false;
  status["node"] = node("fw1", "fault");
  status["addresses"] = Json::array();
  expect({"pair.no-primary"});
}

TEST_F(DoctorOfThePair, NamesWhatTheWatchersSay) {
  status["modules"] = {{{"kind", "unit"},
                        {"name", "ips.service"},
                        {"state", "failed"},
                        {"reason", "slot 3: it is failed"},
                        {"last_output", ""}},
                       {{"kind", "command"}, {"state", "unknown"}}};
  status["remote_monitors"] = {{{"address", "192.0.2.9"}, {"reached", false}},
                               {{"address", "192.0.2.8"}, {"reached", nullptr}}};
  status["witness"] = {{"address", "192.0.2.7"}, {"answers", false}};
  status["addresses"][0]["foreign"] = true;
  status["sync_overdue"] = true;
  status["failing"] = {"the state file cannot be written: No space left on device"};
  expect({"pair.request-failing", "pair.module-failed", "pair.remote-unreached",
          "pair.witness-silent", "pair.address-foreign", "pair.sync-overdue"});
}

TEST_F(DoctorOfThePair, TakesAnyShapeOfAnAnswer) {
  for (const char* strange :
       {"{}", "{\"node\":7,\"peer\":[],\"heartbeat_paths\":{\"a\":1}}",
        "{\"mismatches\":[1,null],\"addresses\":\"x\",\"peer\":{\"alive\":true}}"}) {
    Report report;
    check_pair(Json::parse(strange), report);
    EXPECT_GT(report.count(Severity::problem), 0u) << strange;
  }
}

TEST(DoctorOfTheFiles, SeesThatTheFileIsNotWhatRuns) {
  config::Config config;
  config.cluster.digest = 0xab;
  Report report;
  check_in_force(config, {{"cluster_digest", "00000000000000ab"}}, report);
  EXPECT_TRUE(report.findings().empty());
  check_in_force(config, {{"cluster_digest", "00000000000000ac"}}, report);
  EXPECT_EQ(report.findings().at(0).id, "config.not-in-force");
}

TEST(DoctorOfTheFiles, NamesEachMistakeInThem) {
  Report report;
  EXPECT_FALSE(check_files("/nonexistent", false, report));
  ASSERT_FALSE(report.findings().empty());
  EXPECT_EQ(report.findings()[0].id, "config.invalid");
}

}  // namespace
}  // namespace hotpair::ctl
