#include "wav.hpp"

#include <cstring>

namespace deploy_target {
namespace inner {

namespace {

constexpr unsigned WHOLE_NUMBERS = 1, FLOATS = 3, A_LAW = 6, U_LAW = 7, EXTENSIBLE = 0xfffe;

// A size that is no size: what was written to a pipe did not know it.
constexpr std::uint64_t LONG = (1ULL << 32) - 1, UNKNOWN = (1ULL << 32) - 256;

template <class T>
T number_at(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

Refused unreadable(const std::string& why) { return Refused("the WAV file cannot be read: " + why); }

// G.711: a sign, three bits of exponent, four of mantissa, every second bit turned round.
int a_law(unsigned byte) {
  const unsigned bits = byte ^ 0x55, exponent = bits >> 4 & 7;
  const int mantissa = static_cast<int>(((bits & 15) << 4) + (exponent == 0 ? 8 : 0x108));
  const int size = exponent > 1 ? mantissa << (exponent - 1) : mantissa;
  return bits & 0x80 ? size : -size;
}

// G.711: a sign, three bits of exponent, four of mantissa, all turned round.
int u_law(unsigned byte) {
  const unsigned bits = ~byte & 0xff;
  const int size = static_cast<int>((((bits & 15) << 3) + 0x84) << (bits >> 4 & 7)) - 0x84;
  return bits & 0x80 ? -size : size;
}

bool is_known(unsigned format, std::size_t width) {
  return (format == WHOLE_NUMBERS && width >= 1 && width <= 4) ||
         (format == FLOATS && (width == 4 || width == 8)) ||
         ((format == A_LAW || format == U_LAW) && width == 1);
}

}  // namespace

Wav::Wav(const Bytes& file) : file_(file) {
  if (file.size() < 12 || name(8) != "WAVE") throw unreadable("it is no WAVE");
  const bool rf64 = name(0) == "RF64";
  std::uint64_t samples = UNKNOWN;
  for (std::uint64_t place = 12; place + 8 <= file.size();) {
    const std::size_t at = static_cast<std::size_t>(place);
    const std::string what = name(at);
    std::uint64_t size = number_at<std::uint32_t>(&file[at + 4]);
    const std::uint64_t there = file.size() - place - 8;
    if (what == "ds64" && rf64 && there >= 16) samples = number_at<std::uint64_t>(&file[at + 16]);
    if (what == "fmt ") take_format(at + 8, size);
    if (what == "data") {
      if (width_ == 0) throw unreadable("its samples come before what they are");
      if (rf64 && size == LONG) size = samples;
      const bool endless = size >> 63 != 0 || (size >= UNKNOWN && size <= LONG + 1);
      if (!endless && size > there) throw Refused("the WAV file is cut off: its header promises more");
      start_ = at + 8;
      told =
          static_cast<std::int64_t>((endless ? there : size) / (width_ * static_cast<std::size_t>(channels)));
      return;
    }
    place += 8 + size + size % 2;
  }
  throw Refused("the WAV file is cut off: it ends before its samples");
}

void Wav::take_format(std::size_t at, std::uint64_t size) {
  if (size < 16 || at + size > file_.size()) throw unreadable("its format is cut off");
  format_ = number_at<std::uint16_t>(&file_[at]);
  if (format_ == EXTENSIBLE && size >= 40) format_ = number_at<std::uint16_t>(&file_[at + 24]);
  channels = number_at<std::uint16_t>(&file_[at + 2]);
  rate = number_at<std::uint32_t>(&file_[at + 4]);
  bits_ = number_at<std::uint16_t>(&file_[at + 14]);
  width_ = (bits_ + 7) / 8;
  if (channels == 0) throw unreadable("it has no channels");
  if (is_known(format_, width_)) return;
  throw Refused(
      "a WAV file of coding " + std::to_string(format_) + " with " + std::to_string(bits_) +
          " bits is not taken; send whole numbers of 8 to 32 bits, floats of 32 or 64, A-law or u-law",
      415);
}

std::vector<float> Wav::read(std::int64_t channel) const {
  std::vector<float> samples(static_cast<std::size_t>(told));
  const std::size_t whole = width_ * static_cast<std::size_t>(channels);
  const std::uint8_t* first = file_.data() + start_ + static_cast<std::size_t>(channel) * width_;
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = sample(first + i * whole);
  return samples;
}

float Wav::sample(const std::uint8_t* at) const {
  if (format_ == A_LAW) return static_cast<float>(a_law(*at)) / 32768.0f;
  if (format_ == U_LAW) return static_cast<float>(u_law(*at)) / 32768.0f;
  if (format_ == FLOATS)
    return width_ == 4 ? number_at<float>(at) : static_cast<float>(number_at<double>(at));
  switch (width_) {
    case 1: return static_cast<float>(*at - 128) / 128.0f;
    case 2: return static_cast<float>(number_at<std::int16_t>(at)) / 32768.0f;
    case 3:
      return static_cast<float>(static_cast<std::int8_t>(at[2]) * 65536 + number_at<std::uint16_t>(at)) /
             8388608.0f;
    default: return static_cast<float>(number_at<std::int32_t>(at) / 2147483648.0);
  }
}

std::string Wav::name(std::size_t at) const {
  return std::string(file_.begin() + static_cast<long>(at), file_.begin() + static_cast<long>(at + 4));
}

}  // namespace inner
}  // namespace deploy_target
