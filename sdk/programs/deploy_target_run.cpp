// Asks a bundle its own golden questions on this machine, and judges the answers.
//
//   deploy_target_run BUNDLE [--golden FILE] [--out FILE] [--lane NAME] [--model FILE]
//                            [--provider NAME]... [--threads N] [--device NAME] [--quiet]
//
// In: a bundle's folder. Out: a row for each output of each question on stdout; with --out a
// recording for `deploy-target verify BUNDLE --actual FILE`. It ends with 0 where every answer is
// within its bound, 1 where one is not or could not be given, 2 where it was called wrongly or could
// not begin.
#include <sys/utsname.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>

#include "deploy_target.hpp"

namespace {

using namespace deploy_target;

struct Asked {
  std::string bundle, golden, out, lane, model, device;
  OnnxRuntime::Options runtime;
  bool quiet = false;
};

class Misused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Asked read_arguments(int count, char** words) {
  Asked asked;
  asked.runtime.watch = true;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto next = [&]() -> std::string {
      if (i + 1 >= count) throw Misused(word + " needs a value");
      return words[++i];
    };
    if (word == "--golden")
      asked.golden = next();
    else if (word == "--out")
      asked.out = next();
    else if (word == "--lane")
      asked.lane = next();
    else if (word == "--model")
      asked.model = next();
    else if (word == "--device")
      asked.device = next();
    else if (word == "--provider")
      asked.runtime.providers.push_back({next(), {}});
    else if (word == "--threads")
      asked.runtime.threads = std::atoi(next().c_str());
    else if (word == "--quiet")
      asked.quiet = true;
    else if (word.compare(0, 1, "-") == 0)
      throw Misused("there is no option " + word);
    else if (asked.bundle.empty())
      asked.bundle = word;
    else
      throw Misused("one bundle at a time: " + word + " is another");
  }
  if (asked.bundle.empty()) throw Misused("which bundle? give its folder");
  if (asked.golden.empty()) asked.golden = asked.bundle + "/golden.safetensors";
  if (asked.model.empty()) asked.model = asked.bundle + "/model.onnx";
  return asked;
}

// "NVIDIA Jetson Orin Nano, aarch64", where the board says its name.
std::string this_device() {
  utsname system;
  uname(&system);
  std::ifstream file("/proc/device-tree/model");
  std::string board;
  std::getline(file, board, '\0');
  return (board.empty() ? std::string(system.sysname) : board) + ", " + system.machine;
}

// What ran, and what was asked for and did not.
void tell_runtime(const OnnxRuntime& runtime) {
  std::cout << runtime.version() << ": ";
  const char* between = "";
  for (const auto& one : runtime.ran_on()) {
    std::cout << between << one.first << " ran " << one.second << " operators";
    between = ", ";
  }
  std::cout << "\n";
  for (const std::string& why : runtime.refused()) std::cout << "not taken: " << why << "\n";
}

Tensors answer_to(Model& model, OnnxRuntime& runtime, const GoldenCase& golden) {
  if (golden.golden == BYTES) return model.predict_tensors(model.raws(golden.inputs));
  return runtime.run(golden.entry, golden.inputs);
}

void show(const Row& row) {
  std::printf("%s  %s  %s  relative L2 %.2e%s%s\n", row.passed ? "ok  " : "FAIL", row.call.c_str(),
              row.output.c_str(), row.relative_l2, row.reason.empty() ? "" : ": ", row.reason.c_str());
}

// How many answers are not within their bounds.
int ask_all(const Asked& asked, Model& model, OnnxRuntime& runtime, const std::vector<GoldenCase>& cases,
            Recording& recording) {
  int wrong = 0;
  for (const GoldenCase& golden : cases) {
    Tensors answer;
    try {
      answer = answer_to(model, runtime, golden);
      recording.add(golden, answer);
    } catch (const std::exception& error) {
      std::printf("FAIL  %s  no answer: %s\n", golden.call.c_str(), error.what());
      ++wrong;
      continue;
    }
    for (const Row& row : judged(model.manifest(), golden, answer, asked.lane)) {
      wrong += row.passed ? 0 : 1;
      if (!row.passed || !asked.quiet) show(row);
    }
  }
  return wrong;
}

int run(const Asked& asked) {
  const auto runtime = std::make_shared<OnnxRuntime>(asked.model, asked.runtime);
  Model model = Model::open(asked.bundle, runtime);
  const std::vector<GoldenCase> cases = read_golden(read_file(asked.golden));
  if (cases.empty())
    throw Misused(asked.golden + " holds no questions, and so no answer would prove anything");
  const std::string lane = model.manifest().lane(asked.lane).name;
  Recording recording(model.manifest(), lane, runtime->version(),
                      asked.device.empty() ? this_device() : asked.device);
  const int wrong = ask_all(asked, model, *runtime, cases, recording);
  std::fflush(stdout);
  tell_runtime(*runtime);
  if (!asked.out.empty()) write_file(asked.out, recording.write());
  std::cout << (wrong ? "FAIL" : "PASS") << ": " << cases.size() << " questions, " << wrong
            << " answers beyond their bounds\n";
  return wrong ? 1 : 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run(read_arguments(count, words));
  } catch (const std::exception& error) {
    std::cerr << "deploy_target_run: " << error.what() << "\n";
    return 2;
  }
}
