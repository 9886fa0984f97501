#include "layout.hpp"

#include <algorithm>

namespace deploy_target {
namespace inner {

namespace {

std::size_t product(const Shape& shape, std::size_t from, std::size_t to) {
  return count_of(Shape(shape.begin() + static_cast<long>(from), shape.begin() + static_cast<long>(to)));
}

Shape resized(Shape shape, std::size_t axis, std::size_t size) {
  shape[axis] = static_cast<std::int64_t>(size);
  return shape;
}

bool as_it_is(const std::vector<std::int64_t>& axes) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

}  // namespace

Around::Around(const Shape& shape, std::int64_t axis) {
  const std::int64_t rank = static_cast<std::int64_t>(shape.size()), place = axis < 0 ? axis + rank : axis;
  if (place < 0 || place >= rank) {
    throw std::invalid_argument(said(shape) + " has no axis " + std::to_string(axis));
  }
  at = static_cast<std::size_t>(place);
  along = static_cast<std::size_t>(shape[at]);
  outer = product(shape, 0, at);
  inner = product(shape, at + 1, shape.size());
}

Tensor permuted(const Tensor& tensor, const Order& axes) {
  if (!axes) return tensor;
  std::vector<std::int64_t> sorted = *axes;
  std::sort(sorted.begin(), sorted.end());
  if (!as_it_is(sorted) || sorted.size() != tensor.shape().size()) {
    throw std::invalid_argument(tensor.said() + " cannot be laid out as " + said(*axes));
  }
  if (as_it_is(*axes)) return tensor;
  Shape shape, strides;
  for (const std::int64_t axis : *axes) {
    shape.push_back(tensor.shape()[static_cast<std::size_t>(axis)]);
    strides.push_back(stride_of(tensor.shape(), static_cast<std::size_t>(axis)));
  }
  return walked(tensor, shape, strides);
}

Tensor walked(const Tensor& tensor, const Shape& shape, const Shape& strides) {
  Shape at(shape.size(), 0);
  std::int64_t next = 0;
  return gathered(tensor, shape, [&](std::size_t) {
    const std::int64_t here = next;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      next += strides[axis];
      if (++at[axis] < shape[axis]) break;
      next -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
    return here;
  });
}

std::int64_t stride_of(const Shape& shape, std::size_t axis) {
  return static_cast<std::int64_t>(product(shape, axis + 1, shape.size()));
}

Order inverse(const Order& axes) {
  if (!axes) return axes;
  std::vector<std::int64_t> back(axes->size());
  for (std::size_t i = 0; i < back.size(); ++i) {
    const auto found = std::find(axes->begin(), axes->end(), static_cast<std::int64_t>(i));
    back[i] = found - axes->begin();
  }
  return back;
}

Tensor taken(const Tensor& tensor, int axis, std::size_t whole, const std::vector<std::size_t>& rows) {
  if (axis < 0) return tensor;
  const Around around(tensor.shape(), axis);
  const std::size_t wide = around.along / std::max<std::size_t>(1, whole);
  const std::size_t width = wide * around.inner * size_of(tensor.dtype());
  Bytes made(around.outer * rows.size() * width);
  for (std::size_t o = 0; o < around.outer; ++o) {
    for (std::size_t i = 0; i < rows.size() && width > 0; ++i) {
      std::memcpy(&made[(o * rows.size() + i) * width], tensor.data() + (o * whole + rows[i]) * width, width);
    }
  }
  return Tensor(tensor.dtype(), resized(tensor.shape(), around.at, wide * rows.size()), std::move(made));
}

Tensor joined(const std::vector<Tensor>& pieces, std::size_t axis) {
  if (pieces.size() == 1) return pieces[0];
  std::size_t along = 0;
  for (const Tensor& piece : pieces) along += static_cast<std::size_t>(piece.shape().at(axis));
  const Shape shape = resized(pieces[0].shape(), axis, along);
  const Around around(shape, static_cast<std::int64_t>(axis));
  Bytes made;
  made.reserve(count_of(shape) * size_of(pieces[0].dtype()));
  for (std::size_t o = 0; o < around.outer; ++o) {
    for (const Tensor& piece : pieces) {
      const std::size_t width = piece.bytes().size() / std::max<std::size_t>(1, around.outer);
      made.insert(made.end(), piece.data() + o * width, piece.data() + (o + 1) * width);
    }
  }
  return Tensor(pieces[0].dtype(), shape, std::move(made));
}

}  // namespace inner
}  // namespace deploy_target
