// The syntax that keepalived.conf and conntrackd.conf share: lines of words, of which some open a
// block in braces. Reads text and knows no keyword. Comments begin with # or, in keepalived.conf,
// with !; quotes keep spaces together; $NAME=value defines what $NAME and ${NAME} then stand for.
// Nothing is included from other files.
#pragma once

#include <string>
#include <vector>

#include "platform/base/result.hpp"

namespace hotpair::ctl::migrate {

struct Block {
  int line = 0;                    // from 1
  std::vector<std::string> words;  // at least one, but for the file as a whole
  std::vector<Block> children;
  bool braces = false;

  const std::string& name() const { return words.front(); }
  // The word at `at`; empty when there are not so many.
  std::string word(std::size_t at) const { return at < words.size() ? words[at] : ""; }
};

struct SyntaxError {
  int line = 0;
  std::string what;
};

// The file as a block of its own. At most 1 MiB, 100,000 words and 32 levels; control characters
// are refused.
Result<Block, SyntaxError> parse_blocks(const std::string& text, const std::string& comment_marks);

}  // namespace hotpair::ctl::migrate
