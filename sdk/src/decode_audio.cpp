// A recording's samples: the bytes of a WAV file -> float32 in -1..1, and its rate.
//
// What a file declares is bounded before anything is decoded. FLAC and OGG are refused by name.
#include <algorithm>
#include <cmath>

#include "steps.hpp"
#include "text.hpp"
#include "wav.hpp"

namespace deploy_target {
namespace inner {

namespace {

// What a recording may declare: beyond, the header is wrong or means to exhaust memory.
constexpr std::int64_t SLOWEST = 1000, FASTEST = 384000, CHANNELS = 8;

// Samples in all channels that are read: so many for each of max_seconds, or so many at least.
constexpr double A_SECOND = 2 * 96000, ALWAYS = 4000000;

void refuse_others(const Bytes& bytes) {
  if (bytes.empty()) throw Refused("the body is empty; send a WAV file");
  const std::string name(bytes.begin(),
                         bytes.begin() + static_cast<long>(std::min<std::size_t>(4, bytes.size())));
  if (name == "RIFF" || name == "RF64") return;
  if (name == "fLaC") throw Refused("this is a FLAC file; here a WAV file is taken", 415);
  if (name == "OggS") throw Refused("this is an OGG file; here a WAV file is taken", 415);
  throw Refused("this is no WAV file, and no other recording that is known", 415);
}

void within_bounds(const Wav& file, double seconds) {
  if (file.rate < SLOWEST || file.rate > FASTEST) {
    throw Refused(std::to_string(file.rate) + " samples a second; expected " + std::to_string(SLOWEST) +
                  " to " + std::to_string(FASTEST));
  }
  if (file.channels > CHANNELS) {
    throw Refused(std::to_string(file.channels) + " channels; expected " + std::to_string(CHANNELS) +
                  " at most");
  }
  if (static_cast<double>(file.told) > std::floor(seconds * static_cast<double>(file.rate))) {
    throw Refused("the recording is longer than " +
                      (seconds == std::floor(seconds) ? std::to_string(static_cast<long>(seconds))
                                                      : pythonic(seconds)) +
                      " seconds",
                  413);
  }
  const double most = std::max(ALWAYS, std::floor(seconds * A_SECOND));
  if (static_cast<double>(file.told * file.channels) > most) {
    throw Refused(std::to_string(file.told) + " samples in " + std::to_string(file.channels) +
                      " channels are more than the " + std::to_string(static_cast<long>(most)) +
                      " that are read; send fewer channels or a lower rate",
                  413);
  }
  if (file.told == 0) throw Refused("the WAV file holds no samples");
}

// The mean of all channels, summed in float32 as the reference does.
std::vector<float> mean_of(const std::vector<std::vector<float>>& samples) {
  std::vector<float> made = samples[0];
  for (std::size_t channel = 1; channel < samples.size(); ++channel) {
    for (std::size_t i = 0; i < made.size(); ++i) made[i] += samples[channel][i];
  }
  const float many = static_cast<float>(samples.size());
  for (float& one : made) one = samples.size() == 1 ? one : one / many;
  return made;
}

}  // namespace

// Samples [n], or [c, n] with channels "keep", of -amplitude to amplitude; sets the rate.
Tensor decode_audio(const Bytes& bytes, Frame& frame, const Fields& options) {
  refuse_others(bytes);
  const Wav file(bytes);
  within_bounds(file, options.number("max_seconds"));
  std::vector<std::vector<float>> samples;
  for (std::int64_t channel = 0; channel < file.channels; ++channel) samples.push_back(file.read(channel));
  for (const auto& channel : samples) {
    for (const float one : channel) {
      if (!std::isfinite(one)) throw Refused("the recording holds samples that are no numbers");
    }
  }
  frame.rate = file.rate;
  const std::string kept = options.text("channels");
  if (kept == "mono") samples = {mean_of(samples)};
  if (kept != "keep") samples.resize(1);
  const float loud = static_cast<float>(options.number("amplitude"));
  std::vector<float> data;
  for (const auto& channel : samples) {
    for (const float one : channel) data.push_back(one * loud);
  }
  Shape shape{file.told};
  if (kept == "keep") shape.insert(shape.begin(), file.channels);
  return Tensor::of(shape, data);
}

}  // namespace inner
}  // namespace deploy_target
