#include "tools/ctl/style.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <unistd.h>

namespace hotpair::ctl {
namespace {

const char* escape(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::strong:
      return "\033[1m";
    case Tone::good:
      return "\033[32m";
    case Tone::warning:
      return "\033[33m";
    case Tone::bad:
      return "\033[1;31m";
    case Tone::faint:
      return "\033[2m";
  }
  return "";
}

std::string two_units(std::uint64_t major, const char* major_unit, std::uint64_t minor,
                      const char* minor_unit) {
  std::string text = std::to_string(major) + " " + major_unit;
  if (minor > 0) text += " " + std::to_string(minor) + " " + minor_unit;
  return text;
}

}  // namespace

Style Style::for_standard_output() {
  Style style;
  const char* no_colour = std::getenv("NO_COLOR");
  style.coloured_ = isatty(STDOUT_FILENO) == 1 && (!no_colour || *no_colour == '\0');
  return style;
}

std::string Style::operator()(Tone tone, const std::string& text) const {
  if (!coloured_ || tone == Tone::plain || text.empty()) return text;
  return escape(tone) + text + "\033[0m";
}

std::string columns(const Style& style, const std::vector<std::vector<Cell>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    if (row.size() > widths.size()) widths.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].text.size());
  }
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line = "  ";
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      const Cell& cell = rows[r][i];
      line += style(r == 0 ? Tone::faint : cell.tone, cell.text);
      if (i + 1 < rows[r].size()) line += std::string(widths[i] - cell.text.size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string spoken_duration(double seconds) {
  if (!(seconds >= 0)) return "0 s";
  const auto whole = static_cast<std::uint64_t>(std::min(seconds, 1e15));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return two_units(whole / 60, "min", whole % 60, "s");
  if (whole < 86'400) return two_units(whole / 3600, "h", whole / 60 % 60, "min");
  return two_units(whole / 86'400, "d", whole / 3600 % 24, "h");
}

std::string spoken_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string spoken_time(const std::string& time) {
  const bool iso = time.size() >= 20 && time[10] == 'T' && time.back() == 'Z';
  return iso ? time.substr(0, 10) + " " + time.substr(11, 8) + " UTC" : time;
}

}  // namespace hotpair::ctl
