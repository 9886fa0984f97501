// Recordings: from samples to pieces of one length, frames, and samples of one loudness.
//
// In: float32 [..., samples]. Out: the same, or [..., time, samples of a frame]. Files are read in
// decode_audio.cpp, another rate is made in resample.cpp, the spectrogram in log_mel.cpp.
#include "audio.hpp"

#include <algorithm>
#include <cmath>

#include "layout.hpp"
#include "steps.hpp"

namespace deploy_target {
namespace inner {

namespace {

struct Ends {
  std::size_t before, after;
};

// How many samples are added at both ends.
Ends added_to(std::size_t n, std::size_t size, std::size_t hop, const std::string& pad) {
  if (pad == "centre") return {size / 2, size / 2};
  if (pad != "end") return {0, 0};
  return {0, n > size ? (hop - (n - size) % hop) % hop : size - n};
}

Shape with_last(Shape shape, std::vector<std::int64_t> last) {
  shape.pop_back();
  shape.insert(shape.end(), last.begin(), last.end());
  return shape;
}

}  // namespace

// Just `samples`, silence added at one end or cut off there; never fewer than `least`.
Tensor length(const Tensor& value, const Fields& options) {
  const Around around(value.shape(), -1);
  const std::size_t n = around.along;
  const bool any = !options.has("samples");
  const std::string pad = options.text("pad");
  const std::int64_t least = options.whole("least");
  if (static_cast<std::int64_t>(n) < least && (any || pad == "refuse")) {
    throw Refused("the recording has " + std::to_string(n) + " samples at this rate, expected " +
                  std::to_string(least) + " at least");
  }
  if (any) return value;
  const std::size_t samples = static_cast<std::size_t>(options.whole("samples"));
  if (n == samples) return value;
  const std::string end = n < samples ? pad : options.text("trim");
  if (end == "refuse") {
    throw Refused("the recording has " + std::to_string(n) + " samples at this rate, expected " +
                  std::to_string(samples));
  }
  const std::vector<float> given = value.floats();
  std::vector<float> out(around.outer * samples);
  const std::size_t from = end == "start" && n > samples ? n - samples : 0;
  const std::size_t to = end == "start" && samples > n ? samples - n : 0;
  for (std::size_t o = 0; o < around.outer; ++o) {
    std::copy_n(given.data() + o * n + from, std::min(n, samples), out.data() + o * samples + to);
  }
  return Tensor::of(with_last(value.shape(), {static_cast<std::int64_t>(samples)}), out);
}

// [..., time, size]: overlapping pieces; a rest that fills none is dropped, or with pad "end" filled
// up with silence; "centre" pads half a frame at both ends.
Tensor frames(const Tensor& value, const Fields& options) {
  const Around around(value.shape(), -1);
  const std::size_t size = static_cast<std::size_t>(options.whole("size")),
                    hop = static_cast<std::size_t>(options.whole("hop"));
  const Ends ends = added_to(around.along, size, hop, options.text("pad"));
  const std::size_t all = ends.before + around.along + ends.after;
  if (all < size)
    throw std::invalid_argument(std::to_string(around.along) + " samples are less than a frame of " +
                                std::to_string(size));
  const std::size_t time = (all - size) / hop + 1;
  const Numbers given = value.doubles();
  std::vector<float> out;
  for (std::size_t o = 0; o < around.outer; ++o) {
    const Numbers x = padded(given.data() + o * around.along, around.along, ends.before, ends.after,
                             options.text("pad_mode"));
    for (std::size_t t = 0; t < time; ++t) {
      for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<float>(x[t * hop + i]));
    }
  }
  return Tensor::of(
      with_last(value.shape(), {static_cast<std::int64_t>(time), static_cast<std::int64_t>(size)}), out);
}

Numbers padded(const double* x, std::size_t size, std::size_t before, std::size_t after,
               const std::string& mode) {
  Numbers out(before + size + after);
  std::copy_n(x, size, out.begin() + static_cast<long>(before));
  if (mode != "reflect" || size == 0) return out;
  const long last = static_cast<long>(size) - 1, period = std::max(1L, 2 * last);
  for (std::size_t at = 0; at < out.size(); ++at) {
    if (at >= before && at < before + size) continue;
    const long away = (static_cast<long>(at) - static_cast<long>(before)) % period,
               there = away < 0 ? away + period : away;
    out[at] = x[std::min(std::min(there, period - there), last)];
  }
  return out;
}

// (x - mean) / max(sqrt(variance + epsilon), floor), over each frame or the whole recording.
Tensor normalise(const Tensor& value, const Fields& options) {
  const Numbers x = value.doubles();
  const std::string over = options.text("over");
  const Around around = over == "recording" ? Around(Shape{static_cast<std::int64_t>(x.size())}, 0)
                                            : Around(value.shape(), over == "frame" ? -1 : -2);
  const double epsilon = options.number("epsilon"), floor = options.number("floor");
  const double many = static_cast<double>(around.along), ddof = static_cast<double>(options.whole("ddof"));
  const double free = std::max(many, ddof + 1) - ddof;
  std::vector<float> out(x.size());
  for (std::size_t o = 0; o < around.outer; ++o) {
    for (std::size_t n = 0; n < around.inner; ++n) {
      const std::size_t start = o * around.along * around.inner + n,
                        end = start + around.along * around.inner;
      double mean = 0, squares = 0;
      for (std::size_t i = start; i < end; i += around.inner) mean += x[i];
      mean /= many;
      for (std::size_t i = start; i < end; i += around.inner) squares += (x[i] - mean) * (x[i] - mean);
      const double spread = std::max(std::sqrt(squares / free + epsilon), floor);
      for (std::size_t i = start; i < end; i += around.inner)
        out[i] = static_cast<float>((x[i] - mean) / spread);
    }
  }
  return Tensor::of(value.shape(), out);
}

// Axes by name in another order; a name that was not given becomes an axis of one.
Tensor arrange(const Tensor& value, const Fields& options) {
  const std::vector<std::string> given = options.texts("given");
  Shape shape, strides;
  for (const std::string& name : options.texts("to")) {
    const std::size_t place =
        static_cast<std::size_t>(std::find(given.begin(), given.end(), name) - given.begin());
    const bool there = place < given.size();
    shape.push_back(there ? value.shape().at(place) : 1);
    strides.push_back(there ? stride_of(value.shape(), place) : 0);
  }
  return walked(value, shape, strides);
}

}  // namespace inner
}  // namespace deploy_target
