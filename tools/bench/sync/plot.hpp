// A line plot over time as SVG, readable without anything else: axes with round numbers, a grid,
// the phases as bands, a legend.
#pragma once

#include <string>
#include <vector>

namespace hotpair::bench::sync {

struct Line {
  std::string name, colour;
  std::vector<std::pair<double, double>> points;  // seconds, value
};

struct Band {
  std::string name;
  double from = 0, to = 0;
};

struct Plot {
  std::string title, unit;
  std::vector<Line> lines;
  std::vector<Band> bands;
  double seconds = 0;
};

std::string to_svg(const Plot& plot);

}  // namespace hotpair::bench::sync
