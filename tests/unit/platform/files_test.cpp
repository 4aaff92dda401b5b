#include "platform/linux/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/state_file.hpp"
#include "platform/linux/sysctl.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::sys {
namespace {

using test::TemporaryDirectory;

TEST(StateFileTest, what_was_written_is_read) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.json");
  ASSERT_TRUE(write_state_file(path, "one").ok());
  ASSERT_TRUE(write_state_file(path, "two").ok());
  const auto read = read_state_file(path);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, "two");
}

TEST(StateFileTest, nothing_else_is_left_in_the_directory_and_the_mode_is_kept_private) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_state_file(directory.file("state"), "x").ok());
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    (void)entry;
    ++files;
  }
  EXPECT_EQ(files, 1u);
  struct stat facts {};
  ASSERT_EQ(stat(directory.file("state").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST(StateFileTest, a_missing_file_is_no_error) {
  const auto read = read_state_file("/nonexistent/hotpair/state");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, std::nullopt);
}

TEST(StateFileTest, a_missing_directory_is_named_with_its_remedy) {
  const Status written = write_state_file("/nonexistent/hotpair/state", "x");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().message,
            "cannot write /nonexistent/hotpair/state: the directory does not exist; make it with "
            "'mkdir -p /nonexistent/hotpair'");
}

TEST(StateFileTest, a_full_disk_leaves_the_old_content_and_says_what_to_do) {
  const TemporaryDirectory directory;
  if (geteuid() != 0 ||
      std::system(
          ("mount -t tmpfs -o size=4k none " + directory.path() + " 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << "needs the right to mount a small file system: run it as root";
  ASSERT_TRUE(write_state_file(directory.file("state"), "old").ok());
  const Status written = write_state_file(directory.file("state"), std::string(20'000, 'x'));
  const auto read = read_state_file(directory.file("state"));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    (void)entry;
    ++files;
  }
  ASSERT_EQ(std::system(("umount " + directory.path()).c_str()), 0);
  ASSERT_FALSE(written.ok());
  EXPECT_NE(written.error().message.find("the disk is full"), std::string::npos);
  EXPECT_EQ(*read, "old");
  EXPECT_EQ(files, 1u);
}

TEST(ReadFileTest, more_than_the_bound_is_refused) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("big", std::string(101, 'x'));
  const auto read = read_file(path, 100);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind, ReadFailure::too_big);
  EXPECT_TRUE(read_file(path, 101).ok());
}

TEST(ReadFileTest, a_FIFO_or_a_directory_is_refused_and_does_not_block) {
  const TemporaryDirectory directory;
  ASSERT_EQ(mkfifo(directory.file("fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_file(directory.file("fifo"), 10).error().kind, ReadFailure::not_regular);
  EXPECT_EQ(read_file(directory.path(), 10).error().kind, ReadFailure::not_regular);
}

TEST(SysctlTest, numbers_are_read_and_names_cannot_leave_their_tree) {
  EXPECT_TRUE(read_sysctl_number("net/ipv4/ip_default_ttl").ok());
  EXPECT_FALSE(read_sysctl("../../etc/passwd").ok());
  EXPECT_FALSE(read_sysctl("/etc/passwd").ok());
  EXPECT_FALSE(read_sysctl_number("kernel/ostype").ok());
}

}  // namespace
}  // namespace hotpair::sys
