// The log-mel spectrogram and what it is made of: window, mel filters, decibels.
//
// In: samples [..., n]. Out: float32 [..., time, mels]. Computed in float64 throughout, since a
// logarithm makes differences between quiet bins large.
#include <algorithm>
#include <cmath>
#include <limits>

#include "audio.hpp"
#include "layout.hpp"
#include "steps.hpp"

namespace deploy_target {
namespace inner {

namespace {

constexpr double TWO_PI = 6.283185307179586476925286766559;

// Slaney's scale: so many Hz a mel up to 1 kHz; above, 27 mels for a factor of 6.4.
constexpr double LINEAR = 200.0 / 3, BREAK = 1000;

// A periodic window of `win` samples in the middle of `size`.
Numbers window_of(std::size_t size, std::size_t win, const std::string& name) {
  double level = 1, swing = 0;
  if (name == "hann")
    level = swing = 0.5;
  else if (name == "hamming")
    level = 0.54, swing = 0.46;
  else if (name != "ones")
    throw std::invalid_argument("no window is named \"" + name + "\"");
  Numbers made(size);
  for (std::size_t i = 0; i < win; ++i) {
    made.at((size - win) / 2 + i) =
        level - swing * std::cos(TWO_PI * static_cast<double>(i) / static_cast<double>(win));
  }
  return made;
}

// Hz to mels, on Slaney's scale or HTK's; and mels to Hz.
double to_mel(double hertz, bool htk) {
  if (htk) return 2595 * std::log10(1 + hertz / 700);
  return hertz < BREAK ? hertz / LINEAR : BREAK / LINEAR + std::log(hertz / BREAK) * (27 / std::log(6.4));
}

double from_mel(double mel, bool htk) {
  if (htk) return 700 * (std::pow(10.0, mel / 2595) - 1);
  return mel < BREAK / LINEAR ? mel * LINEAR
                              : BREAK * std::exp((mel - BREAK / LINEAR) * (std::log(6.4) / 27));
}

// From the first bin that it weighs.
struct Filter {
  std::size_t first;
  Numbers weights;
};

// A triangle from `low` over `peak` to `high`, in Hz; only what is above zero is kept.
Filter triangle(double low, double peak, double high, double each, std::size_t bins, bool slaney) {
  const double area = slaney ? 2 / (high - low) : 1;
  Filter made{0, {}};
  std::size_t end = 0;
  Numbers all;
  for (std::size_t i = 0; i < bins; ++i) {
    const double hertz = static_cast<double>(i) * each;
    all.push_back(area *
                  std::max(0.0, std::min((hertz - low) / (peak - low), (high - hertz) / (high - peak))));
    if (!(all[i] > 0)) continue;
    if (end == 0) made.first = i;
    end = i + 1;
  }
  if (end > 0)
    made.weights.assign(all.begin() + static_cast<long>(made.first), all.begin() + static_cast<long>(end));
  return made;
}

// Triangles, evenly spaced in mels; norm "slaney": each of area 1.
std::vector<Filter> mel_filters(const Fields& options) {
  const std::int64_t mels = options.whole("mels");
  const bool htk = options.text("scale") == "htk", slaney = options.text("norm", "") == "slaney";
  const double lowest = to_mel(options.number("fmin"), htk), highest = to_mel(options.number("fmax"), htk);
  const double step = (highest - lowest) / static_cast<double>(mels + 1);
  const double each = options.number("rate") / options.number("n_fft");
  const std::size_t bins = 1 + static_cast<std::size_t>(options.whole("n_fft")) / 2;
  const auto corner = [&](std::int64_t i) {
    return from_mel(i == mels + 1 ? highest : lowest + static_cast<double>(i) * step, htk);
  };
  std::vector<Filter> filters;
  for (std::int64_t i = 0; i < mels; ++i)
    filters.push_back(triangle(corner(i), corner(i + 1), corner(i + 2), each, bins, slaney));
  return filters;
}

// Writes the energies of a frame in each mel.
class Analyser {
 public:
  Analyser(std::size_t size, const Fields& options)
      : window_(window_of(size, static_cast<std::size_t>(options.whole("win")), options.text("window"))),
        filters_(mel_filters(options)),
        fourier_(static_cast<std::size_t>(options.whole("n_fft"))),
        windowed_(std::max(size, static_cast<std::size_t>(options.whole("n_fft")))),
        powers_(1 + static_cast<std::size_t>(options.whole("n_fft")) / 2),
        power_(options.number("power")) {}

  void write(const double* x, double* energies) {
    for (std::size_t i = 0; i < window_.size(); ++i) windowed_[i] = x[i] * window_[i];
    fourier_.transform(windowed_);
    for (std::size_t bin = 0; bin < powers_.size(); ++bin) {
      const double energy = fourier_.re[bin] * fourier_.re[bin] + fourier_.im[bin] * fourier_.im[bin];
      powers_[bin] = power_ == 2 ? energy : std::pow(energy, power_ / 2);
    }
    for (const Filter& filter : filters_) {
      double sum = 0;
      for (std::size_t i = 0; i < filter.weights.size(); ++i)
        sum += filter.weights[i] * powers_[filter.first + i];
      *energies++ = sum;
    }
  }

 private:
  Numbers window_;
  std::vector<Filter> filters_;
  Fourier fourier_;
  Numbers windowed_, powers_;
  double power_;
};

// factor * log(max(energies + add, floor)), cut off `top_db` below the loudest of it all; in place.
void logarithm(Numbers& energies, const Fields& options) {
  const std::string log = options.text("log");
  if (log == "none") return;
  const double add = options.number("add"), floor = options.number("floor");
  // A decibel is of energy, so magnitudes count twice.
  const double decibel = 20 / options.number("power") / std::log(10.0);
  const double factor = log == "ln" ? 1 : log == "db" ? decibel : 1 / std::log(10.0);
  double most = -std::numeric_limits<double>::infinity();
  for (double& one : energies) {
    one = std::log(std::max(one + add, floor)) * factor;
    most = std::max(most, one);
  }
  if (!options.has("top_db")) return;
  const double least = most - options.number("top_db") * factor / decibel;
  for (double& one : energies) one = std::max(one, least);
}

}  // namespace

// The spectrogram [..., time, mels].
Tensor log_mel(const Tensor& value, const Fields& options) {
  const std::int64_t size = options.whole(options.text("fft_pad") == "both" ? "n_fft" : "win");
  const std::int64_t half = options.flag("center") ? size / 2 : 0, hop = options.whole("hop"),
                     mels = options.whole("mels");
  const Around around(value.shape(), -1);
  const std::int64_t over = static_cast<std::int64_t>(around.along) + 2 * half - size;
  const std::int64_t made = over < 0 ? 0 : over / hop + 1,
                     time = std::max<std::int64_t>(0, options.flag("drop_last") ? made - 1 : made);
  const Numbers given = value.doubles();
  Numbers energies(around.outer * static_cast<std::size_t>(time * mels));
  Analyser analyser(static_cast<std::size_t>(size), options);
  double* to = energies.data();
  for (std::size_t o = 0; o < around.outer; ++o) {
    const std::size_t around_it = static_cast<std::size_t>(half);
    const Numbers x =
        padded(given.data() + o * around.along, around.along, around_it, around_it, options.text("pad_mode"));
    for (std::int64_t t = 0; t < time; ++t, to += mels) analyser.write(x.data() + t * hop, to);
  }
  logarithm(energies, options);
  Shape shape = value.shape();
  shape.back() = time;
  shape.push_back(mels);
  return Tensor::of(shape, std::vector<float>(energies.begin(), energies.end()));
}

}  // namespace inner
}  // namespace deploy_target
