#ifndef DEPLOY_TARGET_WITHOUT_ONNXRUNTIME

#include "deploy_target/onnx_runtime.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "deploy_target/json.hpp"
#include "onnx_api.hpp"

namespace deploy_target {

namespace {

using inner::api;
using inner::check;
using inner::held;
using inner::Held;

struct OnnxCode {
  DType dtype;
  ONNXTensorElementDataType code;
};

constexpr OnnxCode CODES_OF_ONNX[] = {
    {DType::float32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    {DType::float64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
    {DType::float16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    {DType::boolean, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},
    {DType::uint8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    {DType::int8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
    {DType::uint16, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16},
    {DType::int16, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16},
    {DType::uint32, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32},
    {DType::int32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
    {DType::uint64, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64},
    {DType::int64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
};

ONNXTensorElementDataType code_in_onnx(DType dtype) {
  return CODES_OF_ONNX[static_cast<std::size_t>(dtype)].code;
}

DType dtype_of(ONNXTensorElementDataType code) {
  for (const OnnxCode& one : CODES_OF_ONNX) {
    if (one.code == code) return one.dtype;
  }
  throw RuntimeFailed("the artifact answers with a type that is not known here: " + std::to_string(code));
}

// Where a profile is written: a name that no other session has.
std::string profile_prefix() {
  static std::atomic<int> made{0};
  const char* folder = std::getenv("TMPDIR");
  return std::string(folder && *folder ? folder : "/tmp") + "/deploy-target-" + std::to_string(getpid()) +
         "-" + std::to_string(++made);
}

// Operators by provider, as a profile counts them.
std::map<std::string, int> counted_in(const std::string& profile) {
  std::map<std::string, int> found;
  const Bytes file = read_file(profile);
  std::remove(profile.c_str());
  const Json events = Json::read(std::string(file.begin(), file.end()));
  for (const Json& event : events.list()) {
    const std::string& provider = event["args"]["provider"].text();
    const std::string& name = event["name"].text();
    const bool kernel = name.size() > 12 && name.compare(name.size() - 12, 12, "_kernel_time") == 0;
    if (kernel && !provider.empty()) ++found[provider];
  }
  return found;
}

}  // namespace

struct OnnxRuntime::Inside {
  Held<OrtEnv> environment;
  Held<OrtMemoryInfo> memory;
  Held<OrtSession> session{nullptr, nullptr};
  OrtAllocator* allocator = nullptr;
  std::vector<std::string> outputs, taken, refused;
  std::map<std::string, int> ran_on;
  bool watching;

  explicit Inside(bool watch)
      : environment(held<OrtEnv>(
            api().ReleaseEnv,
            [](OrtEnv** one) { return api().CreateEnv(ORT_LOGGING_LEVEL_ERROR, "deploy-target", one); })),
        memory(held<OrtMemoryInfo>(api().ReleaseMemoryInfo,
                                   [](OrtMemoryInfo** one) {
                                     return api().CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault,
                                                                      one);
                                   })),
        watching(watch) {
    check(api().GetAllocatorWithDefaultOptions(&allocator));
  }

  // A session with those of the providers that can be had; the first of them is left out where none
  // can be made with it.
  void open(const std::string& file, std::vector<Provider> providers, int threads) {
    for (;;) {
      const auto options = held<OrtSessionOptions>(api().ReleaseSessionOptions, [](OrtSessionOptions** one) {
        return api().CreateSessionOptions(one);
      });
      check(api().SetSessionGraphOptimizationLevel(options.get(), ORT_ENABLE_ALL));
      if (threads > 0) check(api().SetIntraOpNumThreads(options.get(), threads));
      if (watching) check(api().EnableProfiling(options.get(), profile_prefix().c_str()));
      providers = appended(options.get(), providers);
      try {
        session = held<OrtSession>(api().ReleaseSession, [&](OrtSession** one) {
          return api().CreateSession(environment.get(), file.c_str(), options.get(), one);
        });
        break;
      } catch (const RuntimeFailed& failed) {
        if (providers.empty()) throw;
        refused.push_back(providers[0].name + ": " + failed.what());
        providers.erase(providers.begin());
      }
    }
    for (const Provider& one : providers) taken.push_back(one.name);
    taken.push_back("CPUExecutionProvider");
    std::size_t many = 0;
    check(api().SessionGetOutputCount(session.get(), &many));
    for (std::size_t i = 0; i < many; ++i) {
      char* name = nullptr;
      check(api().SessionGetOutputName(session.get(), i, allocator, &name));
      outputs.emplace_back(name);
      check(api().AllocatorFree(allocator, name));
    }
  }

  std::vector<Provider> appended(OrtSessionOptions* options, const std::vector<Provider>& providers) {
    std::vector<Provider> had;
    for (const Provider& one : providers) {
      if (one.name == "CPUExecutionProvider") break;  // what would come behind it would never be asked
      try {
        inner::append(options, one);
        had.push_back(one);
      } catch (const RuntimeFailed& failed) {
        refused.push_back(one.name + ": " + failed.what());
      }
    }
    return had;
  }

  Held<OrtValue> given(const Tensor& tensor) const {
    // The library only reads what it is given as an input.
    void* data = const_cast<std::uint8_t*>(tensor.data());
    const Shape& shape = tensor.shape();
    return held<OrtValue>(api().ReleaseValue, [&](OrtValue** one) {
      return api().CreateTensorWithDataAsOrtValue(memory.get(), data, tensor.bytes().size(), shape.data(),
                                                  shape.size(), code_in_onnx(tensor.dtype()), one);
    });
  }

  Tensor answered(OrtValue* value) const {
    const auto info = held<OrtTensorTypeAndShapeInfo>(
        api().ReleaseTensorTypeAndShapeInfo,
        [&](OrtTensorTypeAndShapeInfo** one) { return api().GetTensorTypeAndShape(value, one); });
    ONNXTensorElementDataType code = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    std::size_t rank = 0;
    check(api().GetTensorElementType(info.get(), &code));
    check(api().GetDimensionsCount(info.get(), &rank));
    Shape shape(rank);
    check(api().GetDimensions(info.get(), shape.data(), rank));
    void* data = nullptr;
    check(api().GetTensorMutableData(value, &data));
    const DType dtype = dtype_of(code);
    const std::uint8_t* from = static_cast<const std::uint8_t*>(data);
    return Tensor(dtype, shape, from ? Bytes(from, from + count_of(shape) * size_of(dtype)) : Bytes());
  }

  void count_once() {
    if (!watching) return;
    watching = false;
    char* name = nullptr;
    check(api().SessionEndProfiling(session.get(), allocator, &name));
    const std::string profile = name;
    check(api().AllocatorFree(allocator, name));
    ran_on = counted_in(profile);
  }
};

OnnxRuntime::OnnxRuntime(const std::string& file, const Options& options)
    : inside_(new Inside(options.watch)) {
  inside_->open(file, options.providers, options.threads);
}

OnnxRuntime::~OnnxRuntime() = default;

Tensors OnnxRuntime::run(const std::string&, const Tensors& inputs) {
  std::vector<const char*> names, wanted;
  std::vector<Held<OrtValue>> values;
  std::vector<const OrtValue*> given;
  for (const auto& one : inputs) {
    names.push_back(one.first.c_str());
    values.push_back(inside_->given(one.second));
    given.push_back(values.back().get());
  }
  for (const std::string& name : inside_->outputs) wanted.push_back(name.c_str());
  std::vector<OrtValue*> answers(wanted.size(), nullptr);
  check(api().Run(inside_->session.get(), nullptr, names.data(), given.data(), given.size(), wanted.data(),
                  wanted.size(), answers.data()));
  std::vector<Held<OrtValue>> kept;
  for (OrtValue* one : answers) kept.emplace_back(one, api().ReleaseValue);
  Tensors made;
  for (std::size_t i = 0; i < kept.size(); ++i)
    made.emplace(inside_->outputs[i], inside_->answered(kept[i].get()));
  inside_->count_once();
  return made;
}

std::string OnnxRuntime::version() const { return "ONNX Runtime " + inner::library().version; }
const std::vector<std::string>& OnnxRuntime::taken() const { return inside_->taken; }
const std::vector<std::string>& OnnxRuntime::refused() const { return inside_->refused; }
const std::map<std::string, int>& OnnxRuntime::ran_on() const { return inside_->ran_on; }

}  // namespace deploy_target

#endif
