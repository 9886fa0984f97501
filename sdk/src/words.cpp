// The answer in words: labels and scores, boxes, a mask, a text.
//
// In: the steps of all outputs and the tensors that they end in. Out: JSON; or a mask as a PNG. A
// step "label" says what an output is, and "palette" the colours of a mask; neither changes a tensor.
// Each number comes back bit for bit when it is read as the tensor's dtype. To add a form: a
// function, and a line in `said_as`.
#include <cmath>

#include "halves.hpp"
#include "ordered.hpp"
#include "png.hpp"
#include "steps.hpp"
#include "text.hpp"

namespace deploy_target {
namespace inner {

namespace {

// What is still to be said, and how.
struct Saying {
  Tensors& left;
  std::string of;
  const Fields& options;
  Colours colours;
  bool single;
  std::optional<std::vector<std::string>> labels;

  // The tensor of that name, which no one else is to speak of.
  Tensor take(const std::string& name) {
    const Tensor found = named(left, name);
    left.erase(name);
    return found;
  }

  Json one(Json::List rows) const { return single && rows.size() == 1 ? rows[0] : Json(std::move(rows)); }

  // Begins what is said of a class with its label, where there are labels.
  Json::Object about(std::int64_t index) const {
    if (!labels) return {};
    if (index < 0 || index >= static_cast<std::int64_t>(labels->size())) {
      throw std::invalid_argument("there is no label " + std::to_string(index) + " among " +
                                  std::to_string(labels->size()));
    }
    return {{"label", (*labels)[static_cast<std::size_t>(index)]}};
  }
};

Json endless(double value) { return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity"; }

// The shortest number that is the same in the tensor's dtype; a text where JSON has none.
Json number_in(DType dtype, double value) {
  if (!std::isfinite(value)) return endless(value);
  if (value == 0) return value;
  if (dtype == DType::float32) {
    return shortest(value, 9, [&](double d) { return static_cast<double>(static_cast<float>(d)) == value; });
  }
  if (dtype == DType::float16)
    return shortest(value, 5, [&](double d) { return to_half(d) == to_half(value); });
  return value;
}

Json classes(Saying& asked) {
  const bool best = asked.left.count(asked.of + ".indices") > 0;
  const Tensor scores = asked.take(best ? asked.of + ".scores" : asked.of);
  const std::vector<std::int64_t> indices =
      best ? asked.take(asked.of + ".indices").longs() : std::vector<std::int64_t>();
  if (scores.shape().size() != 2) {
    throw std::invalid_argument("scores have two axes, not " + std::to_string(scores.shape().size()));
  }
  const std::size_t wide = static_cast<std::size_t>(scores.shape()[1]);
  const std::vector<double> worth = scores.doubles();
  const bool zeros = asked.options.flag("zeros");
  Json::List rows;
  for (std::size_t start = 0;
       start < worth.size() || (wide == 0 && rows.size() < static_cast<std::size_t>(scores.shape()[0]));
       start += wide) {
    std::vector<std::size_t> order =
        ordered(wide, [&](std::size_t i) { return zeros ? 0.0 : worth[start + i]; });
    Json::List row;
    for (const std::size_t place : order) {
      if (!zeros && worth[start + place] == 0) continue;
      const std::int64_t index = best ? indices[start + place] : static_cast<std::int64_t>(place);
      Json::Object one = asked.about(index);
      one["index"] = index;
      one["score"] = number_in(scores.dtype(), worth[start + place]);
      row.push_back(std::move(one));
    }
    rows.push_back(std::move(row));
  }
  return asked.one(std::move(rows));
}

Json boxes(Saying& asked) {
  const Tensor found = asked.take(asked.of);
  const std::vector<double> rows = found.doubles();
  Json::List all;
  for (std::size_t at = 0; at + 6 <= rows.size(); at += 6) {
    const std::int64_t kind = cut_off(rows[at + 5]);
    Json::Object one = asked.about(kind);
    Json::List box;
    for (std::size_t i = 0; i < 4; ++i) box.push_back(number_in(found.dtype(), rows[at + i]));
    one["class"] = kind;
    one["score"] = number_in(found.dtype(), rows[at + 4]);
    one["box"] = std::move(box);
    all.push_back(std::move(one));
  }
  return Json(std::move(all));
}

// How much of a mask each class has, largest first, of equal ones the lower class.
Json shares(const Bytes& pixels, const Saying& asked) {
  std::vector<std::size_t> counts(256);
  for (const std::uint8_t pixel : pixels) ++counts[pixel];
  Json::List all;
  for (const std::size_t kind : ordered(256, [&](std::size_t i) { return counts[i]; })) {
    if (counts[kind] == 0) break;
    Json::Object one = asked.about(static_cast<std::int64_t>(kind));
    one["index"] = static_cast<std::int64_t>(kind);
    one["share"] = static_cast<double>(counts[kind]) / static_cast<double>(pixels.size());
    all.push_back(std::move(one));
  }
  return Json(std::move(all));
}

Json masks(Saying& asked) {
  const Tensor mask = asked.take(asked.of);
  if (mask.shape().size() != 3)
    throw std::invalid_argument("a mask has three axes, not " + std::to_string(mask.shape().size()));
  const std::int64_t height = mask.shape()[1], width = mask.shape()[2];
  const std::size_t many = static_cast<std::size_t>(height * width);
  Json::List all;
  for (std::size_t at = 0; many > 0 && at < mask.count(); at += many) {
    const Bytes pixels(mask.data() + at, mask.data() + at + many);
    all.push_back(Json::Object{{"size", Json::List{height, width}},
                               {"png", base64(png_of(pixels, height, width, asked.colours))},
                               {"classes", shares(pixels, asked)}});
  }
  return asked.one(std::move(all));
}

Json text(Saying& asked) {
  const std::vector<std::int64_t> ids = asked.take(asked.of).longs();
  Json::Object made{{"ids", Json::List(ids.begin(), ids.end())}};
  if (!asked.labels) return Json(std::move(made));
  std::string said;
  for (const std::int64_t id : ids) said += asked.about(id).at("label").text();
  const std::string space = asked.options.text("space", "");
  made["text"] = space.empty() ? said : stripped(replaced(said, space, " "));
  return Json(std::move(made));
}

Json said_as(Saying& asked) {
  const std::string form = asked.options.text("says");
  if (form == "classes") return classes(asked);
  if (form == "boxes") return boxes(asked);
  if (form == "mask") return masks(asked);
  if (form == "text") return text(asked);
  throw std::invalid_argument("no answer is said as \"" + form + "\"");
}

// A tensor's elements, one by one.
Json::List elements(const Tensor& tensor) {
  Json::List all;
  if (is_float(tensor.dtype())) {
    for (const double one : tensor.doubles()) all.push_back(std::isfinite(one) ? Json(one) : endless(one));
    return all;
  }
  for (const std::int64_t one : tensor.longs()) {
    if (tensor.dtype() == DType::boolean)
      all.push_back(one != 0);
    else if (tensor.dtype() == DType::uint64)
      all.push_back(Json::digits(std::to_string(static_cast<std::uint64_t>(one)), true));
    else
      all.push_back(one);
  }
  return all;
}

Json nested(const Tensor& tensor, bool single) {
  Shape sizes = tensor.shape();
  if (single && !sizes.empty() && sizes[0] == 1) sizes.erase(sizes.begin());
  Json::List all = elements(tensor);
  if (sizes.empty()) return all.at(0);
  // From the innermost axis on, as many as it has become one.
  for (std::size_t axis = sizes.size(); axis-- > 1;) {
    const std::size_t wide = static_cast<std::size_t>(sizes[axis]);
    const std::size_t many = count_of(Shape(sizes.begin(), sizes.begin() + static_cast<long>(axis)));
    Json::List rows;
    for (std::size_t i = 0; i < many; ++i) {
      rows.push_back(Json::List(all.begin() + static_cast<long>(i * wide),
                                all.begin() + static_cast<long>((i + 1) * wide)));
    }
    all = std::move(rows);
  }
  return Json(std::move(all));
}

Colours colours_of(const std::vector<Step>& steps, const std::string& of) {
  Colours colours;
  for (const Step& step : steps) {
    if (step.op != "palette" || step.of != of) continue;
    for (const Json& colour : step.options.list("colours")) {
      for (const Json& level : colour.list()) colours.push_back(static_cast<std::uint8_t>(level.number()));
    }
    return colours;
  }
  return colours;
}

}  // namespace

Json say(const std::vector<Step>& steps, const Tensors& tensors, bool single) {
  Tensors left = tensors;
  Json::Object said;
  for (const Step& step : steps) {
    if (step.op != "label") continue;
    Saying asked{left, step.of, step.options, colours_of(steps, step.of), single, {}};
    if (step.options.has("labels")) asked.labels = step.options.texts("labels");
    said[step.of] = said_as(asked);
  }
  for (const auto& one : left) said[one.first] = nested(one.second, single);
  return Json(std::move(said));
}

std::optional<Bytes> picture(const std::vector<Step>& steps, const Tensors& tensors) {
  const Step* found = nullptr;
  int many = 0;
  for (const Step& step : steps) {
    if (step.op != "palette") continue;
    found = &step;
    ++many;
  }
  if (many != 1) return {};
  const Tensor& mask = named(tensors, found->of);
  const std::int64_t height = mask.shape().at(mask.shape().size() - 2), width = mask.shape().back();
  const Bytes pixels(mask.data(), mask.data() + height * width);
  return png_of(pixels, height, width, colours_of(steps, found->of));
}

}  // namespace inner
}  // namespace deploy_target
