// A ruleset as nft prints it: what belongs to it, what is the same, and what makes one of another.
#include "agent/core/nft_ruleset.hpp"

#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

constexpr const char* kRuleset = R"(table inet filter {
	comment "a } b"

	counter hits {
	}

	set nets {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/23, 192.168.0.0/16 comment "x { y",
			     250.0.0.0-255.255.255.255 }
	}

	set blocklist {
		type ipv4_addr
		elements = { 10.0.0.1 }
	}

	set seen {
		type ipv4_addr
		flags dynamic,timeout
		timeout 1h
		elements = { 10.0.0.1 }
	}

	map ports {
		type inet_service : verdict
		elements = { 80 : jump web, 443 : accept }
	}

	chain web {
		counter accept comment "hi }"
	}

	chain in {
		type filter hook input priority filter; policy accept;
		ip saddr @blocklist drop
		jump {
			accept
		}
		tcp dport vmap @ports log prefix "two
lines"
	}
}
table inet hotpair {
	chain x {
	}
}
table ip own {
	flags owner
}
# Warning: table ip6 nat is managed by iptables-nft, do not touch!
table ip6 nat {
}
)";

const std::vector<NftSetName> kBlocklist = {{"", "", "blocklist"}};

NftRuleset parsed(std::string_view text) {
  auto ruleset = parse_ruleset(text, kBlocklist);
  EXPECT_TRUE(ruleset.has_value()) << text;
  return ruleset.value_or(NftRuleset{});
}

std::string with(std::string text, std::string_view what, std::string_view instead) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), instead);
}

TEST(NftRulesetTest, our_own_table_and_what_a_program_owns_do_not_belong_to_it) {
  const auto ruleset = parsed(kRuleset);
  ASSERT_EQ(ruleset.size(), 2u);
  EXPECT_TRUE(ruleset.contains("inet filter"));
  EXPECT_TRUE(ruleset.contains("ip6 nat"));
}

TEST(NftRulesetTest, elements_belong_to_it_unless_they_come_and_go_or_travel_by_themselves) {
  const auto objects = parsed(kRuleset).at("inet filter").objects;
  EXPECT_EQ(objects.at({"set", "nets"}).body,
            "10.0.0.0/23, 192.168.0.0/16 comment \"x { y\", 250.0.0.0-255.255.255.255");
  EXPECT_EQ(objects.at({"map", "ports"}).body, "80 : jump web, 443 : accept");
  EXPECT_EQ(objects.at({"set", "blocklist"}).body, "");
  EXPECT_EQ(objects.at({"set", "seen"}).body, "");
  EXPECT_EQ(sets_with_elements(parsed(kRuleset), kBlocklist),
            (std::vector<std::string>{"map inet filter ports", "set inet filter nets"}));
}

TEST(NftRulesetTest, a_listing_without_elements_is_filled_by_another) {
  auto ruleset = parsed(with(kRuleset, "\t\telements = { 80 : jump web, 443 : accept }\n", ""));
  add_elements(ruleset, parsed(kRuleset));
  EXPECT_EQ(ruleset, parsed(kRuleset));
}

TEST(NftRulesetTest, what_it_says_is_read_again_as_the_same) {
  const auto ruleset = parsed(kRuleset);
  EXPECT_EQ(parsed(ruleset_text(ruleset)), ruleset);
  EXPECT_EQ(ruleset.at("inet filter").objects.at({"chain", "in"}).body,
            "ip saddr @blocklist drop\njump {\naccept\n}\n"
            "tcp dport vmap @ports log prefix \"two\nlines\"\n");
}

TEST(NftRulesetTest, nothing_is_done_to_what_is_the_same) {
  EXPECT_EQ(transition(parsed(kRuleset), parsed(kRuleset)).script, "");
}

TEST(NftRulesetTest, a_rule_more_leaves_everything_but_its_chain_alone) {
  const auto change = transition(
      parsed(kRuleset), parsed(with(kRuleset, "counter accept", "tcp dport 22 drop\n\t\taccept")));
  EXPECT_EQ(change.script,
            "flush chain inet filter web\ntable inet filter {\ncomment \"a } b\"\n\tchain web {\n"
            "tcp dport 22 drop\naccept comment \"hi }\"\n\t}\n}\n");
  EXPECT_TRUE(change.made_anew.empty());
}

TEST(NftRulesetTest, a_chain_goes_after_what_jumps_to_it) {
  const std::string less = with(with(kRuleset, "80 : jump web, ", ""),
                                "\tchain web {\n\t\tcounter accept comment \"hi }\"\n\t}\n", "");
  EXPECT_EQ(transition(parsed(kRuleset), parsed(less)).script,
            "flush chain inet filter web\nflush map inet filter ports\n"
            "delete chain inet filter web\n"
            "add element inet filter ports { 443 : accept }\n");
  EXPECT_EQ(transition(parsed(less), parsed(kRuleset)).script,
            "flush map inet filter ports\ntable inet filter {\ncomment \"a } b\"\n\tchain web {\n"
            "counter accept comment \"hi }\"\n\t}\n}\n"
            "add element inet filter ports { 80 : jump web, 443 : accept }\n");
}

TEST(NftRulesetTest, another_declaration_makes_the_table_anew) {
  const auto change =
      transition(parsed(kRuleset), parsed(with(kRuleset, "policy accept", "policy drop")));
  EXPECT_EQ(change.made_anew, std::vector<std::string>{"inet filter"});
  EXPECT_TRUE(change.script.starts_with("delete table inet filter\ntable inet filter {\n"));
}

TEST(NftRulesetTest, a_table_comes_and_goes_as_a_whole) {
  EXPECT_EQ(transition({}, parsed("table ip a {\n\tchain c {\n\t}\n}\n")).script,
            "table ip a {\n\tchain c {\n\t}\n}\n");
  EXPECT_EQ(transition(parsed("table ip a {\n}\n"), {}).script, "delete table ip a\n");
}

TEST(NftRulesetTest, what_nft_does_not_print_is_refused) {
  for (const char* text : {"nonsense", "table inet x {\n", "table inet x {\n\tchain c {\n}\n",
                           "table martian x {\n}\n", "table inet x y {\n}\n", "add rule inet x\n"})
    EXPECT_FALSE(parse_ruleset(text, {}).has_value()) << text;
}

TEST(NftRulesetTest, a_set_is_named_alone_or_with_family_and_table) {
  const NftSetName whole{"inet", "filter", "blocklist"};
  EXPECT_TRUE((NftSetName{"", "", "blocklist"}).matches(whole));
  EXPECT_TRUE(whole.matches(whole));
  EXPECT_FALSE((NftSetName{"ip", "filter", "blocklist"}).matches(whole));
  EXPECT_FALSE((NftSetName{"", "", "other"}).matches(whole));
}

}  // namespace
}  // namespace hotpair::agent
