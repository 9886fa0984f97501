// What this SDK answers to questions that are shared with every other language. Whether that is right
// is not decided here.
//
//   answers vectors FOLDER ANSWERS NAME...   FOLDER/NAME.safetensors into ANSWERS, each: CASE/NAME for
//       each output, and in its metadata's `answers` what else there is of each case: {frame}, {refused:
//       {status, message}} or {failed: why}
//   answers judge QUESTIONS ANSWERS          tensors CASE/want, CASE/got, CASE/noise, whose metadata's
//       `cases` has {CASE: {bound, batch, kind}} -> JSON, {CASE: {reason, relative_l2}}
//   answers bind MANIFEST QUESTIONS ANSWERS  tensors CASE/in/NAME in the model's terms, CASE/INDEX/out/NAME
//       in the artifact's -> CASE/INDEX/ENTRY/in/NAME, and CASE/whole/NAME of the answers put together;
//       {CASE: {failed: why}} in its metadata's `answers`
#include <iostream>

#include "binding.hpp"
#include "deploy_target.hpp"
#include "steps.hpp"
#include "text.hpp"

namespace {

using namespace deploy_target;
using namespace deploy_target::inner;

Tensor bytes_of(const std::string& text) {
  return Tensor::of({static_cast<std::int64_t>(text.size())}, Bytes(text.begin(), text.end()));
}

Frame frame_of(const Fields& said) {
  Frame frame;
  if (said.has("size")) frame.size = Sides{said.wholes("size").at(0), said.wholes("size").at(1)};
  if (said.has("to_model")) {
    const std::vector<double> to = said.numbers("to_model");
    frame.to_model = std::array<double, 4>{{to.at(0), to.at(1), to.at(2), to.at(3)}};
  }
  if (said.has("rate")) frame.rate = said.whole("rate");
  return frame;
}

Json told(const Frame& frame) {
  Json::Object said;
  if (frame.size) said["size"] = Json::List{frame.size->height, frame.size->width};
  if (frame.to_model) said["to_model"] = Json::List(frame.to_model->begin(), frame.to_model->end());
  if (frame.rate) said["rate"] = *frame.rate;
  return Json(said);
}

// Everything below a name, without it.
Tensors below(const Tensors& tensors, const std::string& start) {
  Tensors found;
  for (const auto& one : tensors) {
    if (one.first.compare(0, start.size(), start) == 0)
      found.emplace(one.first.substr(start.size()), one.second);
  }
  return found;
}

Tensors answer(const Fields& said, Tensors given, Frame& frame) {
  std::vector<Step> steps;
  for (const Fields& one : said.several("steps")) steps.push_back(step_of(one));
  const Runner runner{nullptr, {}};
  const std::string side = said.text("side");
  if (side == "before") {
    if (given.count("bytes")) return {{"value", runner.before(steps, given.at("bytes").bytes(), frame)}};
    return {{"value", runner.before(steps, given.at("value"), frame)}};
  }
  runner.after(steps, given, frame);
  if (side == "after") return given;
  Tensors words{{"json", bytes_of(say(steps, given, said.flag("single")).write())}};
  if (const auto drawn = picture(steps, given))
    words["picture"] = Tensor::of({static_cast<std::int64_t>(drawn->size())}, *drawn);
  return words;
}

Safetensors answers_to(const Safetensors& file) {
  const Fields cases(Json::read(file.metadata.at("vectors")));
  Safetensors made;
  Json::Object said;
  for (const auto& one : cases.all()) {
    const Fields asked = cases.fields(one.first);
    Json::Object about;
    try {
      Frame frame = frame_of(asked.fields("frame"));
      for (const auto& output : answer(asked, below(file.tensors, one.first + "/in/"), frame)) {
        made.tensors.emplace(one.first + "/" + output.first, output.second);
      }
      about["frame"] = told(frame);
    } catch (const Refused& refused) {
      about["refused"] = Json::Object{{"status", refused.status}, {"message", refused.what()}};
    } catch (const std::exception& error) {
      about["failed"] = error.what();
    }
    said[one.first] = about;
  }
  made.metadata["answers"] = Json(said).write();
  return made;
}

Json judgement(const Safetensors& file) {
  const Fields cases(Json::read(file.metadata.at("cases")));
  Json::Object said;
  for (const auto& one : cases.all()) {
    const Fields asked = cases.fields(one.first), b = asked.fields("bound");
    const Bound bound{b.number("relative_l2"), b.number("whole"), b.number("part"), b.number("element"),
                      b.number("budget"),      b.number("jumps"), b.number("jump")};
    const Tensors own = below(file.tensors, one.first + "/");
    const auto find = [&](const char* name) { return own.count(name) ? &own.at(name) : nullptr; };
    const Distance found =
        compared(own.at("want"), find("got"), find("noise"), bound,
                 asked.has("batch") ? static_cast<int>(asked.whole("batch")) : -1, asked.text("kind"));
    said[one.first] = Json::Object{{"reason", found.reason}, {"relative_l2", pythonic(found.relative_l2)}};
  }
  return Json(said);
}

// The calls that ask a case of the artifact, and its answers to them as one.
void bind_case(const Binding& binding, const Tensors& own, const std::string& name, Tensors& made) {
  const std::vector<Call> calls = binding.calls(below(own, "in/"));
  std::vector<Tensors> answers;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::string place = std::to_string(i) + "/";
    for (const auto& one : calls[i].feeds)
      made.emplace(name + "/" + place + calls[i].entry->name + "/in/" + one.first, one.second);
    answers.push_back(below(own, place + "out/"));
  }
  for (const auto& one : binding.answer(calls, answers))
    made.emplace(name + "/whole/" + one.first, one.second);
}

Safetensors bound(const Manifest& manifest, const Safetensors& file) {
  const Binding binding(manifest.signature(), manifest.entries_of(TENSORS));
  Safetensors made;
  Json::Object said;
  const Json names = Json::read(file.metadata.at("cases"));
  for (const Json& name : names.list()) {
    try {
      bind_case(binding, below(file.tensors, name.text() + "/"), name.text(), made.tensors);
    } catch (const std::invalid_argument& error) {
      said[name.text()] = error.what();
    }
  }
  made.metadata["answers"] = Json(said).write();
  return made;
}

}  // namespace

int main(int count, char** words) {
  const std::string what = count > 3 ? words[1] : "";
  if (what == "vectors") {
    for (int i = 4; i < count; ++i) {
      const std::string name = std::string("/") + words[i] + ".safetensors";
      write_file(words[3] + name, answers_to(Safetensors::read(read_file(words[2] + name))).write());
    }
  } else if (what == "judge") {
    const std::string said = judgement(Safetensors::read(read_file(words[2]))).write();
    write_file(words[3], Bytes(said.begin(), said.end()));
  } else if (what == "bind" && count == 5) {
    const Manifest manifest = Manifest::read(read_file(words[2]));
    write_file(words[4], bound(manifest, Safetensors::read(read_file(words[3]))).write());
  } else {
    std::cerr << "usage: answers vectors|judge|bind ...\n";
    return 2;
  }
  return 0;
}
