// Text for people: colours where a person can see them, columns, and numbers as people say them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hotpair::ctl {

enum class Tone : std::uint8_t { plain, strong, good, warning, bad, faint };

// Colours only on a terminal, and not when NO_COLOR is set (no-color.org).
class Style {
 public:
  Style() = default;
  static Style for_standard_output();
  std::string operator()(Tone tone, const std::string& text) const;

 private:
  bool coloured_ = false;
};

struct Cell {
  std::string text;
  Tone tone = Tone::plain;

  Cell(std::string t, Tone how = Tone::plain) : text(std::move(t)), tone(how) {}  // NOLINT
  Cell(const char* t) : text(t) {}                                                // NOLINT
};

// Left-aligned columns two spaces apart, indented by two; the first row is the heading.
std::string columns(const Style& style, const std::vector<std::vector<Cell>>& rows);

// 5 s, 3 min 12 s, 2 h 5 min, 12 d 4 h
std::string spoken_duration(double seconds);
// 1,234,567
std::string spoken_count(std::uint64_t count);
// "2026-03-01T12:00:00.123Z" as "2026-03-01 12:00:00 UTC"; anything else unchanged
std::string spoken_time(const std::string& time);

}  // namespace hotpair::ctl
