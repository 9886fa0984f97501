// Tensors, and files of tensors.
#ifndef DEPLOY_TARGET_TENSOR_HPP
#define DEPLOY_TARGET_TENSOR_HPP

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "deploy_target/errors.hpp"

namespace deploy_target {

enum class DType {
  float32,
  float64,
  float16,
  boolean,
  uint8,
  int8,
  uint16,
  int16,
  uint32,
  int32,
  uint64,
  int64
};

std::string label(DType dtype);  // as numpy names it: "float32", "bool"
DType dtype_named(const std::string& label);
std::size_t size_of(DType dtype);  // bytes of one element
bool is_float(DType dtype);        // whether it is compared by how near two numbers are
std::string said(const Shape& shape);
std::size_t count_of(const Shape& shape);  // how many elements; 1 of a scalar

// Numbers of one dtype in a shape, the last axis running fastest. Copies share what nobody writes to.
class Tensor {
 public:
  Tensor() : Tensor(DType::float32, {0}, Bytes()) {}
  Tensor(DType dtype, Shape shape, Bytes bytes);  // in little endian

  static Tensor of(Shape shape, const std::vector<float>& values);
  static Tensor of(Shape shape, const std::vector<double>& values);
  static Tensor of(Shape shape, const std::vector<std::int32_t>& values);
  static Tensor of(Shape shape, const std::vector<std::int64_t>& values);
  static Tensor of(Shape shape, Bytes values);  // uint8
  // Numbers in any dtype: rounded to the nearest float, cut off to a whole number; whole ones that
  // are too large for it lose their upper bits.
  static Tensor of(DType dtype, Shape shape, const std::vector<double>& values);
  static Tensor of(DType dtype, Shape shape, const std::vector<std::int64_t>& values);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::size_t count() const { return count_; }
  const Bytes& bytes() const { return *bytes_; }
  const std::uint8_t* data() const { return bytes_->data(); }

  std::vector<float> floats() const;        // a larger dtype is rounded
  std::vector<double> doubles() const;      // exactly but for integers beyond 2^53
  std::vector<std::int64_t> longs() const;  // integers and bool; of uint64 the bits
  Tensor cast(DType dtype) const;
  Tensor reshaped(Shape shape) const;
  std::string said() const;  // "float32 [1, 224, 224, 3]"

 private:
  DType dtype_;
  Shape shape_;
  std::size_t count_;
  std::shared_ptr<const Bytes> bytes_;
};

using Tensors = std::map<std::string, Tensor>;

// The tensors and the metadata of a safetensors file. `read` throws BundleDamaged.
struct Safetensors {
  Tensors tensors;
  std::map<std::string, std::string> metadata;

  static Safetensors read(const Bytes& file);
  Bytes write() const;
};

Bytes read_file(const std::string& path);  // throws std::runtime_error
void write_file(const std::string& path, const Bytes& bytes);

}  // namespace deploy_target

#endif
