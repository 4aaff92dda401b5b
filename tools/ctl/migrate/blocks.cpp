#include "tools/ctl/migrate/blocks.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <utility>

namespace hotpair::ctl::migrate {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20, kMaxWords = 100'000, kMaxExpanded = 64 * 1024;
constexpr int kMaxDepth = 32;

using Variables = std::map<std::string, std::string>;

bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Replaces $NAME and ${NAME} of what is defined; others stay as they are.
std::string expanded(const std::string& word, const Variables& variables) {
  std::string out;
  for (std::size_t at = 0; at < word.size() && out.size() < kMaxExpanded;) {
    const bool braced = word.compare(at, 2, "${") == 0;
    std::size_t end = at + (braced ? 2 : 1);
    const std::size_t begin = end;
    while (end < word.size() && in_name(word[end])) ++end;
    const auto found =
        word[at] == '$' ? variables.find(word.substr(begin, end - begin)) : variables.end();
    if (found == variables.end() || (braced && (end == word.size() || word[end] != '}'))) {
      out += word[at++];
    } else {
      out += found->second;
      at = end + (braced ? 1 : 0);
    }
  }
  return out;
}

// "$NAME=value" at the beginning of a line.
bool defines(const std::vector<std::string>& words, Variables& variables) {
  const std::string& first = words.front();
  const std::size_t equals = first.find('=');
  if (first.size() < 3 || first[0] != '$' || equals == std::string::npos || equals < 2)
    return false;
  std::string value = first.substr(equals + 1);
  for (std::size_t i = 1; i < words.size(); ++i) value += (value.empty() ? "" : " ") + words[i];
  variables[first.substr(1, equals - 1)] = expanded(value, variables);
  return true;
}

class Parser {
 public:
  Parser(const std::string& text, const std::string& comment_marks)
      : text_(text), comment_marks_(comment_marks) {}

  Result<Block, SyntaxError> run() {
    Block file;
    file.line = 1;
    file.braces = true;
    if (text_.size() > kMaxBytes) return fail(SyntaxError{1, "larger than 1 MiB"});
    read_block(file, 0);
    if (error_) return fail(*error_);
    return file;
  }

 private:
  void complain(int line, const char* what) {
    if (!error_) error_ = SyntaxError{line, what};
  }

  // A word; empty at the end of a line or of the file, or before a brace.
  std::string read_word() {
    std::string word;
    char quote = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') break;
      if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') {
        complain(line_, "a control character");
        break;
      }
      if (quote != 0) {
        if (c == quote)
          quote = 0;
        else
          word += c;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == ' ' || c == '\t' || c == '\r' || ends_word(c, word)) {
        break;
      } else {
        word += c;
      }
    }
    if (quote != 0) complain(line_, "a quote that is not closed on its line");
    return word;
  }
  // A brace or a comment; the braces of ${NAME} are part of the word.
  bool ends_word(char c, const std::string& word) const {
    if (c == '{') return word.empty() || word.back() != '$';
    if (c == '}') return word.rfind("${") == std::string::npos || word.back() == '}';
    return word.empty() && comment_marks_.find(c) != std::string::npos;
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
    if (at_ < text_.size() && comment_marks_.find(text_[at_]) != std::string::npos)
      at_ = std::min(text_.find('\n', at_), text_.size());
  }

  // A brace may also open on the line below.
  bool opens_below() {
    std::size_t ahead = at_;
    int lines = 0;
    while (ahead < text_.size() && std::isspace(static_cast<unsigned char>(text_[ahead])) != 0)
      lines += text_[ahead++] == '\n' ? 1 : 0;
    if (ahead == text_.size() || text_[ahead] != '{') return false;
    at_ = ahead;
    line_ += lines;
    return true;
  }

  // A line without a block.
  void finish(Block& parent, Block& entry) {
    if (entry.words.empty()) return;
    Block done = std::exchange(entry, {});
    if (defines(done.words, variables_)) return;
    for (std::string& word : done.words) word = expanded(word, variables_);
    parent.children.push_back(std::move(done));
  }

  void descend(Block& parent, Block& entry, int depth) {
    ++at_;
    if (entry.words.empty()) return complain(line_, "a brace without a name before it");
    if (depth == kMaxDepth) return complain(line_, "more than 32 levels of braces");
    Block child = std::exchange(entry, {});
    for (std::string& word : child.words) word = expanded(word, variables_);
    child.braces = true;
    read_block(child, depth + 1);
    parent.children.push_back(std::move(child));
  }

  void read_block(Block& block, int depth) {
    Block entry;
    while (!error_) {
      skip_blanks();
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      if (at_ == text_.size()) {
        finish(block, entry);
        return depth > 0 ? complain(block.line, "a brace that is never closed") : void();
      }
      if (c == '\n') {
        if (!entry.words.empty() && opens_below()) continue;
        finish(block, entry);
        next_line();
      } else if (c == '{') {
        descend(block, entry, depth);
      } else if (c == '}') {
        finish(block, entry);
        ++at_;
        return depth == 0 ? complain(line_, "a closing brace too many") : void();
      } else {
        take_word(entry);
      }
    }
  }
  void next_line() {
    ++at_;
    ++line_;
  }
  void take_word(Block& entry) {
    if (entry.words.empty()) entry.line = line_;
    entry.words.push_back(read_word());
    if (++words_ > kMaxWords) complain(line_, "more than 100,000 words");
  }

  const std::string& text_;
  const std::string& comment_marks_;
  std::size_t at_ = 0, words_ = 0;
  int line_ = 1;
  Variables variables_;
  std::optional<SyntaxError> error_;
};

}  // namespace

Result<Block, SyntaxError> parse_blocks(const std::string& text, const std::string& comment_marks) {
  return Parser(text, comment_marks).run();
}

}  // namespace hotpair::ctl::migrate
