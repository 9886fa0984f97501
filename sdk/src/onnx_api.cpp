#ifndef DEPLOY_TARGET_WITHOUT_ONNXRUNTIME

#include "onnx_api.hpp"

#include <algorithm>
#include <cstdlib>

namespace deploy_target {
namespace inner {

namespace {

// CUDA's options came with 1.11, those by name with 1.12.
constexpr int OLDEST = 11, BY_NAME = 12;

bool is_built_in(const std::string& name) {
  char** names = nullptr;
  int many = 0;
  check(api().GetAvailableProviders(&names, &many));
  bool found = false;
  for (int i = 0; i < many; ++i) found = found || name == names[i];
  check(api().ReleaseAvailableProviders(names, many));
  return found;
}

// A provider's short name, as the library's options by name have it.
std::string short_name(const std::string& name) {
  if (name == "XnnpackExecutionProvider") return "XNNPACK";
  return name.substr(0, name.find("ExecutionProvider"));
}

}  // namespace

const Library& library() {
  static const Library found = [] {
    const OrtApiBase* base = OrtGetApiBase();
    const std::string version = base->GetVersionString();
    const int minor = std::atoi(version.c_str() + std::min(version.size(), version.find('.') + 1));
    if (minor < OLDEST)
      throw RuntimeFailed("ONNX Runtime " + version + " is older than 1." + std::to_string(OLDEST));
    const OrtApi* api = base->GetApi(static_cast<std::uint32_t>(std::min(minor, ORT_API_VERSION)));
    if (!api) throw RuntimeFailed("ONNX Runtime " + version + " does not have the C API of its own version");
    return Library{api, minor, version};
  }();
  return found;
}

void check(OrtStatus* status) {
  if (!status) return;
  const std::string why = api().GetErrorMessage(status);
  api().ReleaseStatus(status);
  throw RuntimeFailed("ONNX Runtime: " + why);
}

void append(OrtSessionOptions* session, const Provider& provider) {
  if (!is_built_in(provider.name)) throw RuntimeFailed("this ONNX Runtime was built without it");
  std::vector<const char*> keys, values;
  for (const auto& one : provider.options) {
    keys.push_back(one.first.c_str());
    values.push_back(one.second.c_str());
  }
  if (provider.name == "TensorrtExecutionProvider") {
    const auto own = held<OrtTensorRTProviderOptionsV2>(
        api().ReleaseTensorRTProviderOptions,
        [](OrtTensorRTProviderOptionsV2** one) { return api().CreateTensorRTProviderOptions(one); });
    if (!keys.empty())
      check(api().UpdateTensorRTProviderOptions(own.get(), keys.data(), values.data(), keys.size()));
    return check(api().SessionOptionsAppendExecutionProvider_TensorRT_V2(session, own.get()));
  }
  if (provider.name == "CUDAExecutionProvider") {
    const auto own = held<OrtCUDAProviderOptionsV2>(
        api().ReleaseCUDAProviderOptions,
        [](OrtCUDAProviderOptionsV2** one) { return api().CreateCUDAProviderOptions(one); });
    if (!keys.empty())
      check(api().UpdateCUDAProviderOptions(own.get(), keys.data(), values.data(), keys.size()));
    return check(api().SessionOptionsAppendExecutionProvider_CUDA_V2(session, own.get()));
  }
  if (library().minor < BY_NAME)
    throw RuntimeFailed("ONNX Runtime " + library().version + " takes no provider by that name");
  check(api().SessionOptionsAppendExecutionProvider(session, short_name(provider.name).c_str(), keys.data(),
                                                    values.data(), keys.size()));
}

}  // namespace inner
}  // namespace deploy_target

#endif
