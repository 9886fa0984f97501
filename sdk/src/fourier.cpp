#include <algorithm>
#include <cmath>

#include "audio.hpp"

namespace deploy_target {
namespace inner {

namespace {

constexpr double TURN = 6.283185307179586476925286766559;

bool is_power_of_two(std::size_t size) { return (size & (size - 1)) == 0; }

std::size_t enough(std::size_t size) {
  if (is_power_of_two(size)) return size;
  std::size_t found = 1;
  while (found < 2 * size - 1) found *= 2;
  return found;
}

}  // namespace

Fourier::Fourier(std::size_t size)
    : re(enough(size)),
      im(enough(size)),
      size_(size),
      long_(enough(size)),
      cosine_(long_ / 2),
      sine_(long_ / 2),
      reversed_(long_) {
  for (std::size_t i = 0; i < long_ / 2; ++i) {
    const double angle = -TURN * static_cast<double>(i) / static_cast<double>(long_);
    cosine_[i] = std::cos(angle);
    sine_[i] = std::sin(angle);
  }
  for (std::size_t i = 1; i < long_; ++i) reversed_[i] = reversed_[i >> 1] >> 1 | (i & 1 ? long_ >> 1 : 0);
  if (is_power_of_two(size)) return;
  filter_re_.resize(long_);
  filter_im_.resize(long_);
  // With n k = (n^2 + k^2 - (k - n)^2) / 2 the transform is a convolution with this.
  for (std::size_t n = 0; n < size; ++n) {
    // The angle is reduced while it is a whole number.
    const double angle = TURN / 2 * static_cast<double>(n * n % (2 * size)) / static_cast<double>(size);
    chirp_cosine_.push_back(std::cos(angle));
    chirp_sine_.push_back(std::sin(angle));
    for (const std::size_t at : {n, (long_ - n) % long_}) {
      filter_re_[at] = chirp_cosine_[n];
      filter_im_[at] = chirp_sine_[n];
    }
  }
  halved(filter_re_, filter_im_);
}

void Fourier::transform(const Numbers& samples) {
  re.assign(long_, 0);
  im.assign(long_, 0);
  if (!chirp_cosine_.empty()) return convolved(samples);
  std::copy(samples.begin(), samples.begin() + static_cast<long>(size_), re.begin());
  halved(re, im);
}

void Fourier::convolved(const Numbers& samples) {
  for (std::size_t n = 0; n < size_; ++n) {
    re[n] = samples[n] * chirp_cosine_[n];
    im[n] = -samples[n] * chirp_sine_[n];
  }
  halved(re, im);
  const double many = static_cast<double>(long_);
  for (std::size_t i = 0; i < long_; ++i) {
    const double a = re[i], b = im[i];
    re[i] = (a * filter_re_[i] - b * filter_im_[i]) / many;
    im[i] = (a * filter_im_[i] + b * filter_re_[i]) / many;
  }
  // The way back is the way there with both parts exchanged.
  halved(im, re);
  for (std::size_t k = 0; k <= size_ / 2; ++k) {
    const double a = re[k], b = im[k];
    re[k] = a * chirp_cosine_[k] + b * chirp_sine_[k];
    im[k] = b * chirp_cosine_[k] - a * chirp_sine_[k];
  }
}

// The transform of both parts where they are, for a power of two.
void Fourier::halved(Numbers& real, Numbers& imaginary) const {
  for (std::size_t i = 0; i < long_; ++i) {
    if (reversed_[i] <= i) continue;
    std::swap(real[i], real[reversed_[i]]);
    std::swap(imaginary[i], imaginary[reversed_[i]]);
  }
  for (std::size_t half = 1; half < long_; half *= 2) {
    const std::size_t stride = long_ / (2 * half);
    for (std::size_t start = 0; start < long_; start += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const std::size_t low = start + k, high = low + half, turn = k * stride;
        const double a = real[high] * cosine_[turn] - imaginary[high] * sine_[turn];
        const double b = real[high] * sine_[turn] + imaginary[high] * cosine_[turn];
        real[high] = real[low] - a;
        imaginary[high] = imaginary[low] - b;
        real[low] += a;
        imaginary[low] += b;
      }
    }
  }
}

}  // namespace inner
}  // namespace deploy_target
