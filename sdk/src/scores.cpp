// Scores of classes, and of tokens in time: probabilities, the best few, those above a limit.
//
// A score that is no number is worth less than any other, and of equal ones the lower index is first.
#include <cmath>
#include <limits>

#include "halves.hpp"
#include "layout.hpp"
#include "ordered.hpp"
#include "steps.hpp"

namespace deploy_target {
namespace inner {

namespace {

constexpr float NEVER = -std::numeric_limits<float>::infinity();

// One row of logits becomes probabilities, in place.
void share_out(std::vector<float>& values, std::size_t start, const Around& around) {
  const std::size_t end = start + around.along * around.inner;
  float most = NEVER;
  // Where there is one that is no number, it reaches the whole row.
  for (std::size_t i = start; i < end; i += around.inner) most = larger(most, values[i]);
  double sum = 0;
  for (std::size_t i = start; i < end; i += around.inner) {
    values[i] = static_cast<float>(std::exp(static_cast<double>(values[i] - most)));
    sum += values[i];
  }
  for (std::size_t i = start; i < end; i += around.inner) values[i] = static_cast<float>(values[i] / sum);
}

}  // namespace

// Probabilities that sum to 1 along `axis`, float32.
void softmax(Tensors& tensors, const std::string& of, const Fields& options) {
  const Tensor given = named(tensors, of);
  const Around around(given.shape(), options.whole("axis"));
  std::vector<float> powers = given.floats();
  for (std::size_t o = 0; o < around.outer; ++o) {
    for (std::size_t n = 0; n < around.inner; ++n)
      share_out(powers, o * around.along * around.inner + n, around);
  }
  tensors[of] = Tensor::of(given.shape(), powers);
}

// A probability for each element by itself, float32.
void sigmoid(Tensors& tensors, const std::string& of) {
  const Tensor given = named(tensors, of);
  std::vector<float> chances = given.floats();
  for (float& one : chances) one = 1 / (1 + static_cast<float>(std::exp(-static_cast<double>(one))));
  tensors[of] = Tensor::of(given.shape(), chances);
}

// The `k` largest of each row: OF.scores float32 and OF.indices int64, [rows, k].
void top_k(Tensors& tensors, const std::string& of, const Fields& options) {
  const Tensor given = named(tensors, of);
  const std::vector<float> scores = given.floats();
  const Around around(given.shape(), -1);
  const std::size_t kept = std::min(static_cast<std::size_t>(options.whole("k")), around.along);
  std::vector<float> best;
  std::vector<std::int64_t> indices;
  for (std::size_t o = 0; o < around.outer; ++o) {
    const float* row = scores.data() + o * around.along;
    const std::vector<std::size_t> order = ordered(around.along, [&](std::size_t i) { return row[i]; });
    for (std::size_t i = 0; i < kept; ++i) {
      best.push_back(row[order[i]]);
      indices.push_back(static_cast<std::int64_t>(order[i]));
    }
  }
  Shape shape = given.shape();
  shape.back() = static_cast<std::int64_t>(kept);
  tensors.erase(of);
  tensors[of + ".scores"] = Tensor::of(shape, best);
  tensors[of + ".indices"] = Tensor::of(shape, indices);
}

// Scores that are not above `at` become 0, those that are no number too; float32.
void threshold(Tensors& tensors, const std::string& of, const Fields& options) {
  const Tensor given = named(tensors, of);
  const float limit = static_cast<float>(options.number("at"));
  std::vector<float> above = given.floats();
  for (float& one : above) one = one > limit ? one : 0;
  tensors[of] = Tensor::of(given.shape(), above);
}

// The best token of each step, repeats once, blanks never: int64 [tokens]. `time` is the axis of
// time, 1 in [1, steps, tokens] and 0 in [steps, 1, tokens].
void ctc(Tensors& tensors, const std::string& of, const Fields& options) {
  const Tensor given = named(tensors, of);
  const std::int64_t items = given.shape().at(static_cast<std::size_t>(1 - options.whole("time")));
  if (items != 1)
    throw std::invalid_argument("text is read from one item, not from " + std::to_string(items));
  const std::int64_t blank = options.whole("blank");
  const std::vector<float> scores = given.floats();
  const Around around(given.shape(), -1);
  std::vector<std::int64_t> said;
  std::int64_t before = -1;
  for (std::size_t step = 0; step < around.outer; ++step) {
    std::int64_t token = 0;
    float most = NEVER;
    for (std::size_t i = 0; i < around.along; ++i) {
      if (!(scores[step * around.along + i] > most)) continue;
      token = static_cast<std::int64_t>(i);
      most = scores[step * around.along + i];
    }
    if (token != before && token != blank) said.push_back(token);
    before = token;
  }
  tensors[of] = Tensor::of(Shape{static_cast<std::int64_t>(said.size())}, said);
}

}  // namespace inner
}  // namespace deploy_target
