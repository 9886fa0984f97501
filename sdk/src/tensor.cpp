#include "deploy_target/tensor.hpp"

#include <cstring>

#include "halves.hpp"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors lie in memory as they do in files: in little endian"
#endif

namespace deploy_target {

namespace {

struct Known {
  DType dtype;
  const char* label;
  std::size_t size;
};

constexpr Known KNOWN[] = {
    {DType::float32, "float32", 4}, {DType::float64, "float64", 8}, {DType::float16, "float16", 2},
    {DType::boolean, "bool", 1},    {DType::uint8, "uint8", 1},     {DType::int8, "int8", 1},
    {DType::uint16, "uint16", 2},   {DType::int16, "int16", 2},     {DType::uint32, "uint32", 4},
    {DType::int32, "int32", 4},     {DType::uint64, "uint64", 8},   {DType::int64, "int64", 8},
};

const Known& known(DType dtype) { return KNOWN[static_cast<std::size_t>(dtype)]; }

// Each element as one of type From, made into one of type To.
template <class From, class To>
std::vector<To> read_as(const Tensor& tensor) {
  std::vector<To> made(tensor.count());
  for (std::size_t i = 0; i < made.size(); ++i) {
    From one;
    std::memcpy(&one, tensor.data() + i * sizeof(From), sizeof(From));
    made[i] = static_cast<To>(one);
  }
  return made;
}

template <class To>
std::vector<To> read_any(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::float32: return read_as<float, To>(tensor);
    case DType::float64: return read_as<double, To>(tensor);
    case DType::boolean:
    case DType::uint8: return read_as<std::uint8_t, To>(tensor);
    case DType::int8: return read_as<std::int8_t, To>(tensor);
    case DType::uint16: return read_as<std::uint16_t, To>(tensor);
    case DType::int16: return read_as<std::int16_t, To>(tensor);
    case DType::uint32: return read_as<std::uint32_t, To>(tensor);
    case DType::int32: return read_as<std::int32_t, To>(tensor);
    case DType::uint64: return read_as<std::uint64_t, To>(tensor);
    case DType::int64: return read_as<std::int64_t, To>(tensor);
    case DType::float16: break;
  }
  std::vector<To> made(tensor.count());
  const std::vector<std::uint16_t> bits = [&] {
    std::vector<std::uint16_t> all(tensor.count());
    if (!all.empty()) std::memcpy(all.data(), tensor.data(), 2 * all.size());
    return all;
  }();
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<To>(inner::of_half(bits[i]));
  return made;
}

template <class T>
Tensor plain(DType dtype, Shape shape, const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return Tensor(dtype, std::move(shape), std::move(bytes));
}

// Values of type From, each made into one of type To.
template <class To, class From, class Make>
Tensor made_of(DType dtype, Shape shape, const std::vector<From>& values, Make make) {
  Bytes bytes(values.size() * sizeof(To));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const To one = make(values[i]);
    std::memcpy(bytes.data() + i * sizeof(To), &one, sizeof(To));
  }
  return Tensor(dtype, std::move(shape), std::move(bytes));
}

}  // namespace

std::string label(DType dtype) { return known(dtype).label; }

DType dtype_named(const std::string& label) {
  std::string all;
  for (const Known& one : KNOWN) {
    if (label == one.label) return one.dtype;
    all += (all.empty() ? "" : ", ") + std::string(one.label);
  }
  throw std::invalid_argument("no dtype is named \"" + label + "\"; expected one of " + all);
}

std::size_t size_of(DType dtype) { return known(dtype).size; }

bool is_float(DType dtype) {
  return dtype == DType::float32 || dtype == DType::float64 || dtype == DType::float16;
}

std::string said(const Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

std::size_t count_of(const Shape& shape) {
  std::uint64_t all = 1;
  bool none = false;
  for (const std::int64_t size : shape) {
    if (size < 0) throw std::invalid_argument(said(shape) + " is no shape: sizes are from 0");
    none = none || size == 0;
  }
  if (none) return 0;
  for (const std::int64_t size : shape) {
    if (all > (1ULL << 40) / static_cast<std::uint64_t>(size)) {
      throw std::invalid_argument(said(shape) + " has more elements than memory can hold");
    }
    all *= static_cast<std::uint64_t>(size);
  }
  return static_cast<std::size_t>(all);
}

Tensor::Tensor(DType dtype, Shape shape, Bytes bytes)
    : dtype_(dtype), shape_(std::move(shape)), count_(count_of(shape_)) {
  if (bytes.size() != count_ * size_of(dtype)) {
    throw std::invalid_argument(std::to_string(bytes.size()) + " bytes are no " + said() + ", which takes " +
                                std::to_string(count_ * size_of(dtype)));
  }
  bytes_ = std::make_shared<const Bytes>(std::move(bytes));
}

Tensor Tensor::of(Shape shape, const std::vector<float>& values) {
  return plain(DType::float32, std::move(shape), values);
}

Tensor Tensor::of(Shape shape, const std::vector<double>& values) {
  return plain(DType::float64, std::move(shape), values);
}

Tensor Tensor::of(Shape shape, const std::vector<std::int32_t>& values) {
  return plain(DType::int32, std::move(shape), values);
}

Tensor Tensor::of(Shape shape, const std::vector<std::int64_t>& values) {
  return plain(DType::int64, std::move(shape), values);
}

Tensor Tensor::of(Shape shape, Bytes values) {
  return Tensor(DType::uint8, std::move(shape), std::move(values));
}

Tensor Tensor::of(DType dtype, Shape shape, const std::vector<std::int64_t>& values) {
  using Long = std::int64_t;
  if (is_float(dtype)) {
    return of(dtype, std::move(shape), std::vector<double>(values.begin(), values.end()));
  }
  if (dtype == DType::boolean) {
    return made_of<std::uint8_t>(dtype, std::move(shape), values,
                                 [](Long one) -> std::uint8_t { return one != 0; });
  }
  switch (size_of(dtype)) {
    case 1:
      return made_of<std::uint8_t>(dtype, std::move(shape), values,
                                   [](Long one) { return static_cast<std::uint8_t>(one); });
    case 2:
      return made_of<std::uint16_t>(dtype, std::move(shape), values,
                                    [](Long one) { return static_cast<std::uint16_t>(one); });
    case 4:
      return made_of<std::uint32_t>(dtype, std::move(shape), values,
                                    [](Long one) { return static_cast<std::uint32_t>(one); });
    default: return plain(dtype, std::move(shape), values);
  }
}

Tensor Tensor::of(DType dtype, Shape shape, const std::vector<double>& values) {
  switch (dtype) {
    case DType::float64: return of(std::move(shape), values);
    case DType::float32: return of(std::move(shape), std::vector<float>(values.begin(), values.end()));
    case DType::float16: return made_of<std::uint16_t>(dtype, std::move(shape), values, inner::to_half);
    case DType::boolean:
      return made_of<std::uint8_t>(dtype, std::move(shape), values,
                                   [](double one) -> std::uint8_t { return one != 0; });
    case DType::uint64:
      return made_of<std::uint64_t>(dtype, std::move(shape), values, inner::cut_off_unsigned);
    default: break;
  }
  std::vector<std::int64_t> whole(values.size());
  for (std::size_t i = 0; i < whole.size(); ++i) whole[i] = inner::cut_off(values[i]);
  return of(dtype, std::move(shape), whole);
}

std::vector<float> Tensor::floats() const { return read_any<float>(*this); }

std::vector<double> Tensor::doubles() const { return read_any<double>(*this); }

std::vector<std::int64_t> Tensor::longs() const {
  if (is_float(dtype_)) {
    throw std::invalid_argument(label(dtype_) + " holds no whole numbers; expected integers or bool");
  }
  return read_any<std::int64_t>(*this);
}

Tensor Tensor::cast(DType dtype) const {
  if (dtype == dtype_) return *this;
  if (is_float(dtype_)) return of(dtype, shape_, doubles());
  if (dtype == DType::float32) return of(shape_, floats());
  return is_float(dtype) ? of(dtype, shape_, doubles()) : of(dtype, shape_, longs());
}

Tensor Tensor::reshaped(Shape shape) const {
  Tensor made = *this;
  made.count_ = count_of(shape);
  made.shape_ = std::move(shape);
  if (made.count_ != count_) throw std::invalid_argument(said() + " cannot be " + made.said());
  return made;
}

std::string Tensor::said() const { return label(dtype_) + " " + deploy_target::said(shape_); }

}  // namespace deploy_target
