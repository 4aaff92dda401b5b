// Each file in stories/ is one case. HOTPAIR_UPDATE_GOLDEN=1 writes what the pair decides now.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/golden/script.hpp"

namespace hotpair::simulation {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> stories() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(HOTPAIR_GOLDEN_DIR "/stories"))
    names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

class Story : public testing::TestWithParam<std::string> {};

TEST_P(Story, GoesAsWritten) {
  const std::filesystem::path path = HOTPAIR_GOLDEN_DIR "/stories/" + GetParam() + ".txt";
  const std::string written = read(path);
  const std::string told = run_script(written);
  if (std::getenv("HOTPAIR_UPDATE_GOLDEN") != nullptr)
    std::ofstream(path) << told;
  else
    EXPECT_EQ(told, written) << "HOTPAIR_UPDATE_GOLDEN=1 rewrites " << path;
}

INSTANTIATE_TEST_SUITE_P(Golden, Story, testing::ValuesIn(stories()), [](const auto& story) {
  std::string name = story.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace hotpair::simulation
