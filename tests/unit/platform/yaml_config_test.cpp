#include "platform/linux/yaml_config.hpp"

#include <gtest/gtest.h>

namespace hotpair::sys {
namespace {

YamlProblem problem_of(const std::string& text) {
  auto parsed = parse_yaml(text);
  return parsed.ok() ? YamlProblem{-1, "no problem"} : parsed.error();
}

TEST(YamlTest, values_know_their_line) {
  const auto root = parse_yaml("a: 1\nb:\n  - x\n  - { c: true }\n");
  ASSERT_TRUE(root.ok());
  EXPECT_EQ(root->find("a")->as_integer(), 1);
  const YamlNode* b = root->find("b");
  ASSERT_TRUE(b->is_sequence());
  EXPECT_EQ(b->items[0].as_text(), "x");
  EXPECT_EQ(b->items[0].line, 3);
  EXPECT_EQ(b->items[1].find("c")->as_bool(), true);
  EXPECT_EQ(b->items[1].find("c")->line, 4);
}

TEST(YamlTest, duplicate_keys_are_kept_and_point_to_the_first) {
  const auto root = parse_yaml("a: 1\nb: 2\na: 3\n");
  ASSERT_TRUE(root.ok());
  ASSERT_EQ(root->entries.size(), 3u);
  EXPECT_EQ(root->entries[2].first_line, 1);
  EXPECT_EQ(root->entries[2].line, 3);
  EXPECT_EQ(root->entries[1].first_line, 0);
}

TEST(YamlTest, integers_are_whole_and_unambiguous) {
  auto integer = [](const std::string& text) { return parse_yaml(text)->as_integer(); };
  EXPECT_EQ(integer("42"), 42);
  EXPECT_EQ(integer("-3"), -3);
  EXPECT_EQ(integer("0x9890"), 0x9890);
  EXPECT_EQ(integer("0"), 0);
  for (const char* text : {"010", "1.5", "1e3", "0x", "--1", "-", "12 apples", "'42'", "1_000",
                           "99999999999999999999", "true"})
    EXPECT_EQ(integer(text), std::nullopt) << text;
}

TEST(YamlTest, only_true_and_false_are_booleans) {
  EXPECT_EQ(parse_yaml("true")->as_bool(), true);
  EXPECT_EQ(parse_yaml("false")->as_bool(), false);
  for (const char* text : {"yes", "on", "True", "1", "\"true\""})
    EXPECT_EQ(parse_yaml(text)->as_bool(), std::nullopt) << text;
}

TEST(YamlTest, nothing_is_null) {
  for (const char* text : {"", "# a comment\n", "---\n", "~", "null"})
    EXPECT_TRUE(parse_yaml(text)->is_null()) << text;
}

TEST(YamlTest, anchors_and_aliases_are_refused_with_their_line) {
  EXPECT_EQ(problem_of("a: &x 1\nb: *x\n").line, 1);
  EXPECT_EQ(problem_of("a: &x 1\nb: *x\n").message,
            "anchors (&name) are not allowed: write the value out");
}

TEST(YamlTest, tabs_are_named_not_guessed_at) {
  EXPECT_EQ(problem_of("a:\n\tb: 1\n").message, "a tab is used for indentation: use spaces");
  EXPECT_EQ(problem_of("a:\n\tb: 1\n").line, 2);
}

TEST(YamlTest, binary_junk_is_no_text_file) {
  EXPECT_EQ(problem_of(std::string("\x7f"
                                   "ELF\0\0\x01",
                                   7))
                .message,
            "a control character: this is not a text file");
}

TEST(YamlTest, syntax_errors_have_a_line) {
  EXPECT_EQ(problem_of("a: 1\nb: [1, 2\nc: 3\n").line, 3);
  EXPECT_EQ(problem_of("a: 1\nb: 'open\n").line, 2);
  EXPECT_EQ(problem_of("a: \"open\n# comment\n").message, "illegal EOF in scalar");
}

TEST(YamlTest, a_second_document_is_refused) {
  EXPECT_EQ(problem_of("a: 1\n---\nb: 2\n").message,
            "this does not belong to what stands above, or is a second document");
}

TEST(YamlTest, depth_size_and_number_of_values_are_bounded) {
  EXPECT_EQ(problem_of(std::string(40, '[') + std::string(40, ']')).message,
            "nested deeper than 32 levels");
  EXPECT_NE(problem_of(std::string(100'000, '[')).line, -1);
  EXPECT_NE(problem_of(std::string(100'000, '{')).line, -1);
  EXPECT_EQ(problem_of(std::string(kMaxYamlBytes + 1, 'x')).message, "larger than 262144 bytes");
  std::string many = "[";
  for (std::size_t i = 0; i < kMaxYamlNodes; ++i) many += "1,";
  EXPECT_EQ(problem_of(many + "]").message, "more than 50000 values");
}

TEST(YamlTest, a_list_as_a_key_is_refused) {
  EXPECT_EQ(problem_of("? [a, b]\n: 1\n").message, "a key must be a word, not a list or a map");
}

TEST(YamlTest, values_are_shown_without_what_would_steer_a_terminal) {
  EXPECT_EQ(parse_yaml("\"a\\e[31mb\"")->shown(), "a?[31mb");
  EXPECT_EQ(parse_yaml("[1]")->shown(), "a list");
  EXPECT_EQ(parse_yaml(std::string(70, 'x'))->shown(), std::string(60, 'x') + "...");
}

}  // namespace
}  // namespace hotpair::sys
