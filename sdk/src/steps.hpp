// What stands around a model: from raw bytes to a tensor, and from tensors to words.
//
// Every operation gives what its namesake in Python gives, and is held to it by shared questions. To
// add one: a function in the file of its medium, and a line in steps.cpp.
#ifndef DEPLOY_TARGET_SRC_STEPS_HPP
#define DEPLOY_TARGET_SRC_STEPS_HPP

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "deploy_target/model.hpp"
#include "fields.hpp"

namespace deploy_target {
namespace inner {

// One operation; `of` is the output that it is about, empty before the model.
struct Step {
  std::string op, of;
  Fields options;
};

struct Sides {
  std::int64_t height, width;
};

// What a later step must know of an earlier one: a photo's size, upright, and a recording's rate.
struct Frame {
  std::optional<Sides> size;
  // sx, sy, ox, oy: a place in the photo is at x * sx + ox, y * sy + oy in the tensor.
  std::optional<std::array<double, 4>> to_model;
  std::optional<std::int64_t> rate;

  // Throw std::invalid_argument where no photo was decoded.
  Sides photo() const;
  std::array<double, 4> placed() const;
  void moved(std::int64_t right, std::int64_t down);
};

// All declared steps of a bundle: how raw bytes become each input, and what comes behind the model.
// `single`: one request is one item.
struct Steps {
  std::map<std::string, std::vector<Step>> inputs;
  std::vector<Step> host;
  std::vector<Spec> gives;
  bool single;

  static Steps read(const Bytes& file);  // throws BundleDamaged
};

Step step_of(const Fields& said);

// Runs steps. `decoder` decodes photos that this library does not.
struct Runner {
  ImageDecoder decoder;
  OwnSteps own;

  // The tensor that raw bytes become. Throws Refused.
  Tensor before(const std::vector<Step>& steps, const Bytes& bytes, Frame& frame) const;
  // That which a photo becomes which was decoded elsewhere, such as a camera's.
  Tensor before(const std::vector<Step>& steps, const Photo& photo, Frame& frame) const;
  // The same from where an earlier step left off.
  Tensor before(const std::vector<Step>& steps, Tensor value, Frame& frame, std::size_t from = 0) const;
  // Runs the steps of all outputs; each takes tensors by name and puts others in their place.
  void after(const std::vector<Step>& steps, Tensors& tensors, const Frame& frame) const;
};

// The tensor of that name. Throws std::invalid_argument.
const Tensor& named(const Tensors& tensors, const std::string& of);

// Images: decode_image.cpp, image.cpp, resize.cpp
Tensor decode_image(const Bytes& bytes, Frame& frame, const Fields& options, const ImageDecoder& decoder);
Tensor upright(const Photo& photo, int turn, Frame& frame, const Fields& options);
Tensor resize(const Tensor& value, Frame& frame, const Fields& options);
Tensor crop(const Tensor& value, Frame& frame, const Fields& options);
Tensor pad(const Tensor& value, Frame& frame, const Fields& options);
Tensor channels(const Tensor& value, const Fields& options);
Tensor scale(const Tensor& value, const Fields& options);
Tensor layout(const Tensor& value, const Fields& options);

// Recordings: decode_audio.cpp, resample.cpp, audio.cpp, log_mel.cpp
Tensor decode_audio(const Bytes& bytes, Frame& frame, const Fields& options);
Tensor resample(const Tensor& value, Frame& frame, const Fields& options);
Tensor length(const Tensor& value, const Fields& options);
Tensor frames(const Tensor& value, const Fields& options);
Tensor normalise(const Tensor& value, const Fields& options);
Tensor arrange(const Tensor& value, const Fields& options);
Tensor log_mel(const Tensor& value, const Fields& options);

// Tables: decode_table.cpp, table.cpp
Tensor decode_table(const Bytes& bytes, const Fields& options);
Tensor impute(const Tensor& value, const Fields& options);
Tensor standardise(const Tensor& value, const Fields& options);
Tensor one_hot(const Tensor& value, const Fields& options);
Tensor cast_rows(const Tensor& value, const Fields& options);

// Answers: scores.cpp, boxes.cpp, masks.cpp
void softmax(Tensors& tensors, const std::string& of, const Fields& options);
void sigmoid(Tensors& tensors, const std::string& of);
void top_k(Tensors& tensors, const std::string& of, const Fields& options);
void threshold(Tensors& tensors, const std::string& of, const Fields& options);
void ctc(Tensors& tensors, const std::string& of, const Fields& options);
void detections(Tensors& tensors, const std::string& of, const Fields& options);
void unframe(Tensors& tensors, const std::string& of, const Frame& frame);
void argmax(Tensors& tensors, const std::string& of, const Fields& options);
void above(Tensors& tensors, const std::string& of, const Fields& options);
void resize_mask(Tensors& tensors, const std::string& of, const Frame& frame, const Fields& options);

// The answer by output, in words. Tensors that no step "label" speaks of are nested lists.
Json say(const std::vector<Step>& steps, const Tensors& tensors, bool single);

// The only mask of an answer as a PNG; nothing where there is none, or more than one.
std::optional<Bytes> picture(const std::vector<Step>& steps, const Tensors& tensors);

}  // namespace inner
}  // namespace deploy_target

#endif
