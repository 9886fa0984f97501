// Tensors in one file: eight bytes that say how long the header is, a header in JSON, the numbers. A
// file that is cut off, or whose tensors overlap or have other sizes than their shapes, is damaged.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>

#include "deploy_target/tensor.hpp"
#include "fields.hpp"

namespace deploy_target {

namespace {

constexpr std::uint64_t LONGEST = 100000000;
constexpr const char* METADATA = "__metadata__";

struct Code {
  const char* code;
  DType dtype;
};

constexpr Code CODES[] = {
    {"F64", DType::float64}, {"F32", DType::float32}, {"F16", DType::float16}, {"BOOL", DType::boolean},
    {"U8", DType::uint8},    {"I8", DType::int8},     {"U16", DType::uint16},  {"I16", DType::int16},
    {"U32", DType::uint32},  {"I32", DType::int32},   {"U64", DType::uint64},  {"I64", DType::int64},
};

struct Place {
  std::string name;
  std::optional<DType> dtype;  // nothing: bfloat16
  Shape shape;
  std::size_t from, to;
};

Place place_of(const std::string& name, const inner::Fields& said) {
  const std::string code = said.text("dtype");
  std::optional<DType> dtype;
  for (const Code& one : CODES) {
    if (code == one.code) dtype = one.dtype;
  }
  if (!dtype && code != "BF16")
    throw std::invalid_argument("\"" + name + "\" is " + code + ", which is not known here");
  const Shape shape = said.wholes("shape");
  const std::vector<std::int64_t> offsets = said.wholes("data_offsets");
  const std::size_t size = count_of(shape) * (dtype ? size_of(*dtype) : 2);
  if (offsets.size() != 2 || offsets[0] < 0 || offsets[1] < offsets[0] ||
      static_cast<std::size_t>(offsets[1] - offsets[0]) != size) {
    throw std::invalid_argument("\"" + name + "\" does not have the " + std::to_string(size) +
                                " bytes that " + code + " " + deploy_target::said(shape) + " takes");
  }
  return {name, dtype, shape, static_cast<std::size_t>(offsets[0]), static_cast<std::size_t>(offsets[1])};
}

// bfloat16 is the upper half of a float32.
Tensor widened(const Shape& shape, const std::uint8_t* from, std::size_t count) {
  Bytes made(4 * count);
  for (std::size_t i = 0; i < count; ++i) std::memcpy(&made[4 * i + 2], from + 2 * i, 2);
  return Tensor(DType::float32, shape, std::move(made));
}

Safetensors read_body(const inner::Fields& header, const std::uint8_t* body, std::size_t size) {
  Safetensors found;
  std::vector<Place> places;
  for (const auto& one : header.all()) {
    if (one.first != METADATA) {
      places.push_back(place_of(one.first, header.fields(one.first)));
      continue;
    }
    const inner::Fields said = header.fields(METADATA);
    for (const auto& pair : said.all()) found.metadata[pair.first] = said.text(pair.first);
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return std::make_pair(a.from, a.to) < std::make_pair(b.from, b.to);
  });
  std::size_t end = 0;
  for (const Place& place : places) {
    if (place.from != end)
      throw BundleDamaged("\"" + place.name + "\" does not begin where the one before it ends");
    end = place.to;
  }
  if (end != size) {
    throw BundleDamaged("the tensors take " + std::to_string(end) + " bytes, and " + std::to_string(size) +
                        " are there");
  }
  for (const Place& place : places) {
    const std::uint8_t* from = body + place.from;
    found.tensors.emplace(place.name, place.dtype
                                          ? Tensor(*place.dtype, place.shape, Bytes(from, body + place.to))
                                          : widened(place.shape, from, (place.to - place.from) / 2));
  }
  return found;
}

std::string code_of(DType dtype) {
  for (const Code& one : CODES) {
    if (one.dtype == dtype) return one.code;
  }
  return "";
}

}  // namespace

Safetensors Safetensors::read(const Bytes& file) {
  std::uint64_t length = 0;
  if (file.size() >= 8) std::memcpy(&length, file.data(), 8);
  if (length < 2 || length > LONGEST) throw BundleDamaged("the file does not begin as safetensors do");
  if (length > file.size() - 8) throw BundleDamaged("the safetensors file ends within its header");
  const char* text = reinterpret_cast<const char*>(file.data()) + 8;
  const std::uint8_t* body = file.data() + 8 + length;
  const std::size_t size = file.size() - 8 - static_cast<std::size_t>(length);
  return inner::in_file("the header of a safetensors file",
                        std::string(text, static_cast<std::size_t>(length)),
                        [&](const inner::Fields& header) { return read_body(header, body, size); });
}

Bytes Safetensors::write() const {
  std::vector<const Tensors::value_type*> order;
  for (const auto& one : tensors) order.push_back(&one);
  // Wide numbers first, so that each lies at a multiple of its size.
  std::stable_sort(order.begin(), order.end(),
                   [](const Tensors::value_type* a, const Tensors::value_type* b) {
                     return size_of(a->second.dtype()) > size_of(b->second.dtype());
                   });
  Json::Object header;
  if (!metadata.empty()) header[METADATA] = Json(Json::Object(metadata.begin(), metadata.end()));
  std::int64_t at = 0;
  for (const auto* one : order) {
    if (one->first == METADATA)
      throw std::invalid_argument(std::string("no tensor may be named ") + METADATA);
    const std::int64_t end = at + static_cast<std::int64_t>(one->second.bytes().size());
    const Shape& shape = one->second.shape();
    header[one->first] = Json(Json::Object{{"dtype", code_of(one->second.dtype())},
                                           {"shape", Json::List(shape.begin(), shape.end())},
                                           {"data_offsets", Json::List{at, end}}});
    at = end;
  }
  std::string text = Json(std::move(header)).write();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  Bytes file(8);
  std::memcpy(file.data(), &length, 8);
  file.insert(file.end(), text.begin(), text.end());
  for (const auto* one : order)
    file.insert(file.end(), one->second.bytes().begin(), one->second.bytes().end());
  return file;
}

Bytes read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  // A folder can be opened, and has no end.
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size < 0 || size > (std::streamoff(1) << 40)) throw std::runtime_error(path + " cannot be read");
  Bytes bytes(static_cast<std::size_t>(size));
  file.seekg(0);
  if (size > 0 && !file.read(reinterpret_cast<char*>(bytes.data()), size)) {
    throw std::runtime_error(path + " cannot be read");
  }
  return bytes;
}

void write_file(const std::string& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error(path + " cannot be written");
}

}  // namespace deploy_target
