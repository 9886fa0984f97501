// Another sampling rate, as torchaudio ("sinc_hann") or SciPy ("polyphase") makes it by default.
//
// In: samples [..., n] at the frame's rate. Out: float32 samples [..., ceil(n * to / from)]. Both
// methods are one filter, evaluated where an output sample falls between input samples; they differ
// in that filter. To add one: a function that gives its weights, and a line in `resample`.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "layout.hpp"
#include "steps.hpp"

namespace deploy_target {
namespace inner {

namespace {

using Long = std::int64_t;

constexpr double PI = 3.14159265358979323846;

// Of either rate, by what both share: the filter has twenty times as many weights.
constexpr Long MOST_PHASES = 50000;

// How far away the filter still weighs a sample, and the weight of one at a distance in samples.
struct Band {
  Long reach;
  std::function<double(double)> weight;
};

double sinc(double x) { return x == 0 ? 1 : std::sin(PI * x) / (PI * x); }

// A sinc under a Hann window of six zero crossings a side, rolled off at 0.99 of the band.
Band sinc_hann(Long down, Long up) {
  const double least = static_cast<double>(std::min(down, up)),
               band = 0.99 * least / static_cast<double>(down);
  return {static_cast<Long>(std::ceil(6 * static_cast<double>(down) / (0.99 * least))),
          [band](double distance) {
            const double crossings = std::max(-6.0, std::min(6.0, distance * band));
            const double window = std::cos(crossings * (PI / 12));
            return sinc(crossings) * window * window * band;
          }};
}

// The modified Bessel function of order zero, by its series; of arguments up to some ten.
double bessel(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

// A low-pass by the window method: Kaiser, beta 5, ten periods of the lower rate a side.
Band polyphase(Long down, Long up) {
  const Long most = std::max(down, up), half = 10 * most;
  std::vector<double> whole;
  for (Long i = -half; i <= half; ++i) {
    const double place = static_cast<double>(i) / static_cast<double>(half);
    whole.push_back(sinc(static_cast<double>(i) / static_cast<double>(most)) *
                    bessel(5 * std::sqrt(std::max(0.0, 1 - place * place))) / bessel(5));
  }
  const double gain = static_cast<double>(up) / std::accumulate(whole.begin(), whole.end(), 0.0);
  return {10 * most / up + 1, [whole, gain, half, up](double distance) {
            const Long at = static_cast<Long>(std::floor(distance * static_cast<double>(up) + 0.5)) + half;
            return at < 0 || at > 2 * half ? 0 : gain * whole[static_cast<std::size_t>(at)];
          }};
}

// The weights of 2 reach + 2 samples around each phase.
std::vector<double> table_of(Long phases, Long down, Long up, const Band& band) {
  std::vector<double> table;
  for (Long phase = 0; phase < phases; ++phase) {
    const double between = static_cast<double>(phase * down % up) / static_cast<double>(up);
    for (Long i = 0; i < 2 * band.reach + 2; ++i)
      table.push_back(band.weight(static_cast<double>(i - band.reach) - between));
  }
  return table;
}

// Output n lies at n * down / up: a whole number of input samples, and one of `up` phases.
Tensor filtered(const Tensor& value, Long down, Long up, const Band& band) {
  const Around around(value.shape(), -1);
  const Long along = static_cast<Long>(around.along), count = (along * up + down - 1) / down,
             wide = 2 * band.reach + 2;
  const std::vector<float> given = value.floats();
  const std::vector<double> table = table_of(std::min(up, count), down, up, band);
  std::vector<float> out;
  for (std::size_t o = 0; o < around.outer; ++o) {
    const float* row = given.data() + o * around.along;
    for (Long n = 0; n < count; ++n) {
      const Long first = n * down / up - band.reach, weights = n % up * wide - first;
      double sum = 0;
      for (Long i = std::max<Long>(0, first); i < std::min(along, first + wide); ++i) {
        sum += static_cast<double>(row[i]) * table[static_cast<std::size_t>(weights + i)];
      }
      out.push_back(static_cast<float>(sum));
    }
  }
  Shape shape = value.shape();
  shape.back() = count;
  return Tensor::of(shape, out);
}

Long divisor(Long a, Long b) { return b == 0 ? a : divisor(b, a % b); }

}  // namespace

// Samples at rate `to`; method "refuse" takes no other rate. Sets the frame's rate.
Tensor resample(const Tensor& value, Frame& frame, const Fields& options) {
  if (!frame.rate) throw std::invalid_argument("no recording was decoded before this step");
  const Long rate = *frame.rate, to = options.whole("to");
  if (rate == to) return value;
  const std::string method = options.text("method"), now = std::to_string(rate) + " samples a second";
  if (method == "refuse") throw Refused("the recording has " + now + ", expected " + std::to_string(to));
  const Long down = rate / divisor(rate, to), up = to / divisor(rate, to);
  if (std::max(down, up) > MOST_PHASES) {
    throw Refused(now + " cannot become " + std::to_string(to) + " with a filter of a sane size; expected " +
                  std::to_string(to) + ", or a usual rate such as 44100 or 48000");
  }
  if (method != "sinc_hann" && method != "polyphase")
    throw std::invalid_argument("no method is named \"" + method + "\"");
  frame.rate = to;
  return filtered(value, down, up, method == "sinc_hann" ? sinc_hann(down, up) : polyphase(down, up));
}

}  // namespace inner
}  // namespace deploy_target
