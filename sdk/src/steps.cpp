#include "steps.hpp"

#include "manifest_reader.hpp"
#include "text.hpp"

namespace deploy_target {
namespace inner {

namespace {

std::vector<Step> steps_of(const std::vector<Fields>& said) {
  std::vector<Step> found;
  for (const Fields& one : said) found.push_back(step_of(one));
  return found;
}

Tensor own_step(const Tensor& value, const Fields& options, const OwnSteps& known) {
  const std::string name = options.text("name");
  const auto step = known.find(name);
  if (step == known.end()) throw std::invalid_argument("own step " + name + ": none was given by that name");
  const Tensor made = step->second(value);
  const Json::List& shape = options.list("shape");
  bool right = label(made.dtype()) == options.text("dtype") && made.shape().size() == shape.size();
  for (std::size_t i = 0; right && i < shape.size(); ++i) {
    right = shape[i].kind() != Json::Kind::number ||
            static_cast<std::int64_t>(shape[i].number()) == made.shape()[i];
  }
  if (!right || (options.flag("keeps") && made.shape() != value.shape())) {
    throw std::invalid_argument(
        "own step " + name + ": gave " + made.said() + ", was given " + value.said() + "; expected " +
        options.text("dtype") + " " + options.any("shape").write() +
        (options.flag("keeps") ? " of the same sizes, for later steps count on it" : ""));
  }
  return made;
}

}  // namespace

Sides Frame::photo() const {
  if (!size) throw std::invalid_argument("no photo was decoded before this step");
  return *size;
}

std::array<double, 4> Frame::placed() const {
  if (!to_model) throw std::invalid_argument("no photo was decoded before this step");
  return *to_model;
}

void Frame::moved(std::int64_t right, std::int64_t down) {
  std::array<double, 4> now = placed();
  now[2] += static_cast<double>(right);
  now[3] += static_cast<double>(down);
  to_model = now;
}

Step step_of(const Fields& said) { return {said.text("op"), said.text("of", ""), said.fields("options")}; }

Steps Steps::read(const Bytes& file) {
  return in_file("steps.json", std::string(file.begin(), file.end()), [](const Fields& said) {
    Steps made;
    bool graphs = said.has("graph");
    const Fields inputs = said.fields("inputs");
    for (const auto& one : inputs.all()) {
      const Fields input = inputs.fields(one.first);
      graphs = graphs || input.has("graph");
      made.inputs[one.first] = steps_of(input.several("host"));
    }
    if (graphs) throw std::invalid_argument("it leaves steps to a graph, which does not exist here");
    made.host = steps_of(said.several("host"));
    for (const Fields& one : said.several("gives")) made.gives.push_back(spec_of(one));
    made.single = said.flag("single");
    return made;
  });
}

const Tensor& named(const Tensors& tensors, const std::string& of) {
  const auto found = tensors.find(of);
  if (found != tensors.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& one : tensors) names.push_back(one.first);
  throw std::invalid_argument("no tensor is named \"" + of + "\"; there is " + joined(names, ", "));
}

Tensor Runner::before(const std::vector<Step>& steps, const Bytes& bytes, Frame& frame) const {
  if (steps.empty()) throw std::invalid_argument("no step makes a tensor of these bytes");
  const Step& first = steps[0];
  if (first.op == "decode_image")
    return before(steps, decode_image(bytes, frame, first.options, decoder), frame, 1);
  if (first.op == "decode_audio") return before(steps, decode_audio(bytes, frame, first.options), frame, 1);
  if (first.op == "decode_table") return before(steps, decode_table(bytes, first.options), frame, 1);
  throw std::invalid_argument(first.op + " makes no tensor of bytes");
}

Tensor Runner::before(const std::vector<Step>& steps, const Photo& photo, Frame& frame) const {
  if (steps.empty() || steps[0].op != "decode_image") {
    throw std::invalid_argument("this input takes no photo: its first step is " +
                                (steps.empty() ? "none" : steps[0].op));
  }
  return before(steps, upright(photo, 1, frame, steps[0].options), frame, 1);
}

Tensor Runner::before(const std::vector<Step>& steps, Tensor value, Frame& frame, std::size_t from) const {
  for (std::size_t i = from; i < steps.size(); ++i) {
    const std::string& op = steps[i].op;
    const Fields& options = steps[i].options;
    if (op == "resize")
      value = resize(value, frame, options);
    else if (op == "crop")
      value = crop(value, frame, options);
    else if (op == "pad")
      value = pad(value, frame, options);
    else if (op == "channels")
      value = channels(value, options);
    else if (op == "scale")
      value = scale(value, options);
    else if (op == "layout")
      value = layout(value, options);
    else if (op == "resample")
      value = resample(value, frame, options);
    else if (op == "length")
      value = length(value, options);
    else if (op == "frames")
      value = frames(value, options);
    else if (op == "normalise")
      value = normalise(value, options);
    else if (op == "arrange")
      value = arrange(value, options);
    else if (op == "log_mel")
      value = log_mel(value, options);
    else if (op == "impute")
      value = impute(value, options);
    else if (op == "standardise")
      value = standardise(value, options);
    else if (op == "one_hot")
      value = one_hot(value, options);
    else if (op == "cast")
      value = cast_rows(value, options);
    else if (op == "own")
      value = own_step(value, options, own);
    else
      throw std::invalid_argument("no step before a model is named \"" + op + "\"");
  }
  return value;
}

void Runner::after(const std::vector<Step>& steps, Tensors& tensors, const Frame& frame) const {
  for (const Step& step : steps) {
    const std::string &op = step.op, &of = step.of;
    // What says how an answer is put in words changes no tensor.
    if (op == "label" || op == "palette") continue;
    if (op == "softmax")
      softmax(tensors, of, step.options);
    else if (op == "sigmoid")
      sigmoid(tensors, of);
    else if (op == "top_k")
      top_k(tensors, of, step.options);
    else if (op == "threshold")
      threshold(tensors, of, step.options);
    else if (op == "ctc")
      ctc(tensors, of, step.options);
    else if (op == "detections")
      detections(tensors, of, step.options);
    else if (op == "unframe")
      unframe(tensors, of, frame);
    else if (op == "argmax")
      argmax(tensors, of, step.options);
    else if (op == "above")
      above(tensors, of, step.options);
    else if (op == "resize_mask")
      resize_mask(tensors, of, frame, step.options);
    else
      throw std::invalid_argument("no step behind a model is named \"" + op + "\"");
  }
}

}  // namespace inner
}  // namespace deploy_target
