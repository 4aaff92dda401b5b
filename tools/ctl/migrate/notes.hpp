// Taking notes while a file is read.
#pragma once

#include "tools/ctl/migrate/migration.hpp"

namespace hotpair::ctl::migrate {

class Notes {
 public:
  Notes(std::string file, std::vector<Note>& notes) : file_(std::move(file)), notes_(notes) {}

  void add(const Block& block, const std::string& why) {
    std::string words;
    for (const std::string& word : block.words) words += (words.empty() ? "" : " ") + word;
    if (words.size() > 80) words = words.substr(0, 77) + "...";
    notes_.push_back({file_, block.line, block.braces ? words + " { ... }" : words, why});
  }
  void unknown(const Block& block) { add(block, "not carried: hotpair has nothing of the kind"); }

 private:
  std::string file_;
  std::vector<Note>& notes_;
};

// The number that the word is, whole and within the bounds.
std::optional<int> number(const std::string& word, int low, int high);
// "1", "0.25" seconds as "1s", "250ms"; empty when it is no such number.
std::string seconds(const std::string& word);
// An address with its prefix length, which a host's is when none is given; empty when it is none.
std::string with_prefix(const std::string& address);

}  // namespace hotpair::ctl::migrate
