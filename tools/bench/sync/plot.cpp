#include "tools/bench/sync/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace hotpair::bench::sync {

namespace {

constexpr double kWidth = 860, kHeight = 260, kLeft = 70, kRight = 20, kTop = 44, kBottom = 34;

[[gnu::format(printf, 2, 3)]] void add(std::string& out, const char* format, ...) {
  std::array<char, 512> text;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text.data(), text.size(), format, arguments);
  va_end(arguments);
  out += text.data();
}

// 1, 2 or 5 times a power of ten, so that `most` has about five of them.
double round_step(double most) {
  const double rough = most / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (rough <= factor * power) return factor * power;
  return 10 * power;
}

std::string short_number(double value) {
  std::string out;
  if (value >= 1e6)
    add(out, "%gM", value / 1e6);
  else if (value >= 1e3)
    add(out, "%gk", value / 1e3);
  else
    add(out, "%g", value);
  return out;
}

struct Scale {
  double seconds, most;
  double x(double at) const { return kLeft + at / seconds * (kWidth - kLeft - kRight); }
  double y(double value) const {
    return kHeight - kBottom - std::min(value, most) / most * (kHeight - kTop - kBottom);
  }
};

Scale scale_of(const Plot& plot) {
  double most = 0;
  for (const Line& line : plot.lines)
    for (const auto& [at, value] : line.points) most = std::max(most, value);
  if (most <= 0) most = 1;
  const double step = round_step(most);
  return {std::max(plot.seconds, 1e-3), std::ceil(most / step) * step};
}

void add_bands(std::string& out, const Plot& plot, const Scale& scale) {
  for (std::size_t i = 0; i < plot.bands.size(); ++i) {
    const Band& band = plot.bands[i];
    const double from = scale.x(band.from), width = scale.x(band.to) - from;
    add(out, "<rect x='%.1f' y='%.0f' width='%.1f' height='%.0f' fill='%s'/>", from, kTop, width,
        kHeight - kTop - kBottom, i % 2 == 0 ? "#f1f4f8" : "#e6ebf2");
    if (width > 36)
      add(out, "<text x='%.1f' y='%.0f' class='band'>%s</text>", from + 4, kTop + 12,
          band.name.c_str());
  }
}

void add_axes(std::string& out, const Plot& plot, const Scale& scale) {
  const double up = round_step(scale.most);
  for (double value = 0; value <= scale.most * 1.001; value += up) {
    add(out, "<line x1='%.0f' x2='%.0f' y1='%.1f' y2='%.1f' class='grid'/>", kLeft, kWidth - kRight,
        scale.y(value), scale.y(value));
    add(out, "<text x='%.0f' y='%.1f' class='left'>%s</text>", kLeft - 8, scale.y(value) + 4,
        short_number(value).c_str());
  }
  const double along = round_step(scale.seconds);
  for (double at = 0; at <= scale.seconds * 1.001; at += along)
    add(out, "<text x='%.1f' y='%.0f' class='below'>%g s</text>", scale.x(at),
        kHeight - kBottom + 18, at);
  add(out, "<text x='%.0f' y='20' class='title'>%s</text>", kLeft, plot.title.c_str());
  add(out, "<text x='%.0f' y='%.0f' class='left'>%s</text>", kLeft - 8, kTop - 8,
      plot.unit.c_str());
}

void add_lines(std::string& out, const Plot& plot, const Scale& scale) {
  double legend = kWidth - kRight;
  for (auto line = plot.lines.rbegin(); line != plot.lines.rend(); ++line) {
    add(out, "<text x='%.0f' y='20' class='left' style='fill:%s'>%s</text>", legend,
        line->colour.c_str(), line->name.c_str());
    legend -= 8.0 * static_cast<double>(line->name.size()) + 16;
  }
  for (const Line& line : plot.lines) {
    add(out, "<polyline fill='none' stroke='%s' stroke-width='1.6' points='", line.colour.c_str());
    for (const auto& [at, value] : line.points) add(out, "%.1f,%.1f ", scale.x(at), scale.y(value));
    out += "'/>";
  }
}

}  // namespace

std::string to_svg(const Plot& plot) {
  const Scale scale = scale_of(plot);
  std::string out;
  add(out,
      "<svg viewBox='0 0 %.0f %.0f' width='%.0f' role='img' xmlns='http://www.w3.org/2000/svg'>",
      kWidth, kHeight, kWidth);
  out +=
      "<style>text{font:12px sans-serif;fill:#333}.title{font-weight:bold;font-size:14px}"
      ".left{text-anchor:end}.below{text-anchor:middle}.band{fill:#789;font-size:11px}"
      ".grid{stroke:#ccd3dc;stroke-width:.6}</style>";
  add_bands(out, plot, scale);
  add_axes(out, plot, scale);
  add_lines(out, plot, scale);
  return out + "</svg>";
}

}  // namespace hotpair::bench::sync
