// One model: the steps before and behind it run here; the artifact's names, layouts and batches are
// nobody else's matter.
#include "deploy_target/model.hpp"

#include <fstream>

#include "binding.hpp"
#include "steps.hpp"

namespace deploy_target {

namespace {

using inner::Frame;
using inner::Step;
using inner::Steps;

bool there_is(const std::string& path) { return std::ifstream(path).good(); }

}  // namespace

struct Model::Inside {
  Manifest manifest;
  std::optional<Steps> steps;
  std::shared_ptr<Interpreter> interpreter;
  inner::Runner runner;
  inner::Binding binding;

  const Steps& known() const {
    if (!steps)
      throw std::invalid_argument("no steps are declared around this model; give run() its tensors");
    return *steps;
  }

  Tensor before(const std::string& name, const Raw& raw, Frame& frame) const {
    if (raw.tensor) return *raw.tensor;
    const auto own = known().inputs.find(name);
    if (own == known().inputs.end())
      throw std::invalid_argument("no step makes \"" + name + "\" of bytes; give a tensor");
    try {
      return raw.file ? runner.before(own->second, *raw.file, frame)
                      : runner.before(own->second, *raw.photo, frame);
    } catch (const Refused& refused) {
      throw Refused("input \"" + name + "\": " + refused.what(), refused.status);
    }
  }

  Tensors after(Tensors tensors, const std::map<std::string, Frame>& frames) const {
    for (const Step& step : known().host) {
      auto frame = frames.find(step.options.text("input", ""));
      if (frame == frames.end()) frame = frames.begin();
      runner.after({step}, tensors, frame == frames.end() ? Frame() : frame->second);
    }
    Tensors given;
    for (const Spec& spec : known().gives) {
      const auto found = tensors.find(spec.name);
      if (found == tensors.end()) throw std::invalid_argument("the steps gave no \"" + spec.name + "\"");
      given.insert(*found);
    }
    return given;
  }
};

Model::Model(const Bytes& manifest, const Bytes& steps, std::shared_ptr<Interpreter> interpreter,
             ImageDecoder decoder, OwnSteps own) {
  Manifest read = Manifest::read(manifest);
  std::optional<Steps> around;
  if (!steps.empty()) around = Steps::read(steps);
  inner::Binding binding(read.signature(), read.entries_of(TENSORS));
  inside_.reset(new Inside{std::move(read), std::move(around), std::move(interpreter),
                           inner::Runner{std::move(decoder), std::move(own)}, std::move(binding)});
}

Model::~Model() = default;
Model::Model(Model&&) noexcept = default;

Model Model::open(const std::string& bundle, std::shared_ptr<Interpreter> interpreter) {
  const std::string steps = bundle + "/steps.json";
  return Model(read_file(bundle + "/deploy-target.json"), there_is(steps) ? read_file(steps) : Bytes(),
               std::move(interpreter));
}

const Manifest& Model::manifest() const { return inside_->manifest; }

bool Model::has_steps() const { return inside_->steps.has_value(); }

Tensors Model::run(const Tensors& inputs) {
  const std::vector<inner::Call> calls = inside_->binding.calls(inputs);
  std::vector<Tensors> answers;
  for (const inner::Call& call : calls)
    answers.push_back(inside_->interpreter->run(call.entry->name, call.feeds));
  return inside_->binding.answer(calls, answers);
}

Tensors Model::predict_tensors(const std::map<std::string, Raw>& raw) {
  std::map<std::string, Frame> frames;
  Tensors inputs;
  for (const auto& one : raw) {
    Frame frame;
    inputs.emplace(one.first, inside_->before(one.first, one.second, frame));
    if (inside_->known().inputs.count(one.first)) frames.emplace(one.first, frame);
  }
  return inside_->after(run(inputs), frames);
}

Json Model::predict(const std::map<std::string, Raw>& raw) {
  const Tensors tensors = predict_tensors(raw);
  return inner::say(inside_->known().host, tensors, inside_->known().single);
}

namespace {

const std::string& only_input(const Manifest& manifest) {
  const std::vector<Spec>& inputs = manifest.signature().inputs;
  if (inputs.size() != 1) throw std::invalid_argument("this model has several inputs; give them by name");
  return inputs[0].name;
}

}  // namespace

Json Model::predict(const Bytes& file) { return predict({{only_input(manifest()), Raw(file)}}); }

Json Model::predict(const Photo& photo) { return predict({{only_input(manifest()), Raw(photo)}}); }

std::map<std::string, Raw> Model::raws(const Tensors& inputs) const {
  std::map<std::string, Raw> made;
  for (const auto& one : inputs) {
    const bool steps = has_steps() && inside_->steps->inputs.count(one.first);
    made.emplace(one.first, steps ? Raw(one.second.bytes()) : Raw(one.second));
  }
  return made;
}

}  // namespace deploy_target
