// How a set or map of nftables is named in cluster.yaml.
#include <algorithm>
#include <array>
#include <sstream>

#include "platform/config/config.hpp"

namespace hotpair::config {
namespace {

constexpr std::size_t kLongestName = 255;

bool is_name(const std::string& word) {
  return word.size() <= kLongestName && std::all_of(word.begin(), word.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.' || c == '/';
         });
}

bool is_family(const std::string& word) {
  constexpr std::array families = {"ip", "ip6", "inet", "bridge", "arp", "netdev"};
  return std::find(families.begin(), families.end(), word) != families.end();
}

}  // namespace

std::optional<NftSetSpelling> nft_set(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  if (!std::all_of(words.begin(), words.end(), is_name)) return std::nullopt;
  if (words.size() == 1) return NftSetSpelling{{}, {}, words[0]};
  if (words.size() != 3 || !is_family(words[0])) return std::nullopt;
  return NftSetSpelling{words[0], words[1], words[2]};
}

}  // namespace hotpair::config
