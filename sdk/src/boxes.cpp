// Boxes: from all that a detector proposes to the few that are meant, on the photo as it was sent.
//
// A box counts where its score is above the limit and all its corners are finite. One class at a
// time, the best box is taken and those that overlap it by more than `iou` are left out. Everything
// is float32 in the order of the reference, down to the same bits.
#include <algorithm>
#include <cmath>
#include <limits>

#include "halves.hpp"
#include "ordered.hpp"
#include "steps.hpp"

namespace deploy_target {
namespace inner {

namespace {

// A row for each proposal.
struct Proposals {
  std::vector<float> data;
  std::size_t rows, width;

  float& at(std::size_t row, std::size_t column) { return data[row * width + column]; }
  float at(std::size_t row, std::size_t column) const { return data[row * width + column]; }

  Proposals columns(std::size_t from, std::size_t to) const {
    Proposals made{{}, rows, to - from};
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t column = from; column < to; ++column) made.data.push_back(at(row, column));
    }
    return made;
  }
};

// [1, ...] of one item -> a row for each proposal.
Proposals proposals_of(const Tensor& given, const std::string& layout) {
  const Shape& shape = given.shape();
  if (shape.size() != 3)
    throw std::invalid_argument("boxes have three axes, not " + std::to_string(shape.size()));
  if (shape[0] != 1) {
    throw std::invalid_argument("boxes are found for one item at a time, not for " +
                                std::to_string(shape[0]));
  }
  const std::size_t high = static_cast<std::size_t>(shape[1]), wide = static_cast<std::size_t>(shape[2]);
  std::vector<float> data = given.floats();
  if (layout == "rows") return {std::move(data), high, wide};
  Proposals made{std::vector<float>(data.size()), wide, high};
  for (std::size_t i = 0; i < data.size(); ++i) made.data[i] = data[i % high * wide + i / high];
  return made;
}

// x1, y1, x2, y2 of each proposal.
Proposals corners_of(const Proposals& boxes, const Fields& options) {
  Proposals corners = boxes.columns(0, 4);
  const std::string format = options.text("format");
  std::vector<std::int64_t> size{1, 1};
  if (options.text("unit") == "relative" && options.has("size")) size = options.wholes("size");
  for (std::size_t row = 0; row < corners.rows; ++row) {
    for (std::size_t at = 0; at < 2; ++at) {
      float first = corners.at(row, at), second = corners.at(row, at + 2);
      if (format == "xywh") {
        second += first;
      } else if (format == "cxcywh") {
        const float half = second * 0.5f;
        second = first + half;
        first -= half;
      }
      const float by = static_cast<float>(size.at(1 - at));
      corners.at(row, at) = first * by;
      corners.at(row, at + 2) = second * by;
    }
  }
  return corners;
}

// Writes minus infinity over the scores of what can never be found.
void weigh(Proposals& marks, const Proposals& corners, std::int64_t background, bool best) {
  const float never = -std::numeric_limits<float>::infinity();
  for (std::size_t row = 0; row < marks.rows; ++row) {
    bool sound = true;
    for (std::size_t i = 0; i < 4; ++i) sound = sound && std::isfinite(corners.at(row, i));
    std::size_t top = 0;
    for (std::size_t kind = 0; kind < marks.width; ++kind) {
      float& mark = marks.at(row, kind);
      if (!sound || std::isnan(mark) || static_cast<std::int64_t>(kind) == background) mark = never;
      if (mark > marks.at(row, top)) top = kind;
    }
    for (std::size_t kind = 0; best && kind < marks.width; ++kind) {
      if (kind != top) marks.at(row, kind) = never;
    }
  }
}

float long_of(const Proposals& corners, std::size_t row, std::size_t at) {
  const float a = corners.at(row, at), b = corners.at(row, at + 2);
  return std::max(a, b) - std::min(a, b);
}

float shared(const Proposals& corners, std::size_t one, std::size_t other, std::size_t at) {
  const float a = corners.at(one, at), b = corners.at(one, at + 2), c = corners.at(other, at),
              d = corners.at(other, at + 2);
  return std::min(std::max(a, b), std::max(c, d)) - std::max(std::min(a, b), std::min(c, d));
}

// Intersection over union; 0 where there is no area. Corners may come in either order.
float overlap(const Proposals& corners, std::size_t one, std::size_t other) {
  const float wide = shared(corners, one, other, 0), high = shared(corners, one, other, 1),
              common = wide * high;
  const float area = long_of(corners, one, 0) * long_of(corners, one, 1);
  const float another = long_of(corners, other, 0) * long_of(corners, other, 1);
  const float whole = area + another - common;
  const bool meet = wide > 0 && high > 0 && common > 0 && area > 0 && another > 0 && whole > 0;
  return meet ? common / whole : 0;
}

// Which proposals stay, best first. Equal to the limit is not above it, for both limits.
std::vector<std::size_t> without_overlaps(const Proposals& corners, const Proposals& marks, std::size_t kind,
                                          const Fields& options) {
  const float score = static_cast<float>(options.number("score")),
              iou = static_cast<float>(options.number("iou"));
  const std::size_t most = static_cast<std::size_t>(options.whole("max"));
  std::vector<std::size_t> above, left, kept;
  for (std::size_t i = 0; i < marks.rows; ++i) {
    if (marks.at(i, kind) > score) above.push_back(i);
  }
  for (const std::size_t i : ordered(above.size(), [&](std::size_t i) { return marks.at(above[i], kind); }))
    left.push_back(above[i]);
  while (!left.empty() && kept.size() < most) {
    const std::size_t one = left[0];
    kept.push_back(one);
    left.erase(left.begin());
    const auto over = [&](std::size_t other) { return overlap(corners, one, other) > iou; };
    left.erase(std::remove_if(left.begin(), left.end(), over), left.end());
  }
  return kept;
}

}  // namespace

// OF becomes float32 [found, 6]: x1, y1, x2, y2, score, class; best first, at most `max`. Of equal
// scores the lower class is first, then the lower index of the proposal. `layout` "rows" is
// [1, proposals, 4], "columns" [1, 4, proposals]; without `scores` they follow the four.
void detections(Tensors& tensors, const std::string& of, const Fields& options) {
  const Proposals boxes = proposals_of(named(tensors, of), options.text("layout"));
  if (boxes.width < 4) throw std::invalid_argument("\"" + of + "\" has no four numbers of each box");
  Proposals marks{{}, 0, 0};
  if (options.has("scores")) {
    const std::string scores = options.text("scores");
    marks = proposals_of(named(tensors, scores), options.text("scores_layout"));
    tensors.erase(scores);
  } else {
    marks = boxes.columns(4, boxes.width);
  }
  if (marks.rows != boxes.rows)
    throw std::invalid_argument("there are other scores than boxes of \"" + of + "\"");
  const Proposals corners = corners_of(boxes, options);
  weigh(marks, corners, options.has("background") ? options.whole("background") : -1, options.flag("best"));
  std::vector<std::array<float, 6>> found;
  for (std::size_t kind = 0; kind < marks.width; ++kind) {
    for (const std::size_t i : without_overlaps(corners, marks, kind, options)) {
      found.push_back({{corners.at(i, 0), corners.at(i, 1), corners.at(i, 2), corners.at(i, 3),
                        marks.at(i, kind), static_cast<float>(kind)}});
    }
  }
  std::vector<std::size_t> order = ordered(found.size(), [&](std::size_t i) { return found[i][4]; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(options.whole("max"))));
  std::vector<float> rows;
  for (const std::size_t i : order) rows.insert(rows.end(), found[i].begin(), found[i].end());
  tensors[of] = Tensor::of(Shape{static_cast<std::int64_t>(order.size()), 6}, rows);
}

// Boxes in pixels of what the model saw -> in pixels of the photo, and within it.
void unframe(Tensors& tensors, const std::string& of, const Frame& frame) {
  const Tensor given = named(tensors, of);
  const Sides photo = frame.photo();
  const std::array<double, 4> placed = frame.placed();
  const double far[2] = {static_cast<double>(photo.width), static_cast<double>(photo.height)};
  std::vector<float> boxes = given.floats();
  const std::size_t wide = static_cast<std::size_t>(given.shape().at(1));
  for (std::size_t row = 0; wide >= 4 && row < boxes.size(); row += wide) {
    for (std::size_t i = 0; i < 4; ++i) {
      const double place = (static_cast<double>(boxes[row + i]) - placed[2 + i % 2]) / placed[i % 2];
      boxes[row + i] = static_cast<float>(std::min(larger(place, 0.0), far[i % 2]));
    }
  }
  tensors[of] = Tensor::of(given.shape(), boxes);
}

}  // namespace inner
}  // namespace deploy_target
