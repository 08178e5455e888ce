// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/module_signers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <sstream>
#include <thread>
#include <vector>

#include "tests/bench/module_caller.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;
using base::Error;
using base::ErrorCode;

constexpr int kProcesses = 8;
constexpr int kSessions = 4;
// Until all processes have loaded the module and found the key.
constexpr std::chrono::milliseconds kWarmUp{500};

// What one thread did while it was measured.
struct Count {
  int signatures = 0;
  base::Status status;
};

Count SignOn(const ModuleCaller& module, const ModuleSigning& signing,
             CK_OBJECT_HANDLE key) {
  Count count;
  const auto session = module.OpenSession();
  if (!session) {
    count.status = session.error();
    return count;
  }
  const auto begin = Clock::now() + kWarmUp;
  const auto end = begin + signing.slice;
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    count.status = module.Sign(*session, key, signing.mechanism);
    if (!count.status) {
      return count;
    }
    count.signatures += now >= begin ? 1 : 0;
  }
  return count;
}

// Signatures a second of this process.
base::Result<double> SignInProcess(const std::string& path,
                                   const ModuleSigning& signing) {
  ASSIGN_OR_RETURN(const ModuleCaller module,
                   ModuleCaller::Load(path, signing.socket));
  ASSIGN_OR_RETURN(const CK_SESSION_HANDLE session, module.OpenSession());
  ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE key,
                   module.PrivateKey(session, signing.label));
  std::vector<Count> counts(kSessions);
  std::vector<std::thread> threads;
  threads.reserve(kSessions);
  for (Count& count : counts) {
    threads.emplace_back([&] { count = SignOn(module, signing, key); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  int signatures = 0;
  for (const Count& count : counts) {
    RETURN_IF_ERROR(count.status);
    signatures += count.signatures;
  }
  return signatures / std::chrono::duration<double>(signing.slice).count();
}

// Has `measure` done in a new process.
base::Result<Child> Measuring(std::function<base::Result<double>()> measure) {
  return Child::Fork([measure = std::move(measure)](int /*in*/, int out) {
    const auto figure = measure();
    if (figure) {
      dprintf(out, "%.6f\n", *figure);
    } else {
      dprintf(out, "%s\n", figure.error().message.c_str());
    }
  });
}

base::Result<double> FigureOf(Child& child) {
  ASSIGN_OR_RETURN(const std::string line, child.ReadLine());
  std::istringstream words(line);
  double figure = 0;
  words >> figure;
  if (!words) {
    return Error{ErrorCode::kIo, "a program with the module: " + line};
  }
  return figure;
}

base::Result<double> SignInAllProcesses(const std::string& path,
                                        const ModuleSigning& signing) {
  std::vector<Child> children;
  for (int i = 0; i < kProcesses; ++i) {
    ASSIGN_OR_RETURN(Child child, Measuring([&path, &signing] {
                       return SignInProcess(path, signing);
                     }));
    children.push_back(std::move(child));
  }
  double all = 0;
  for (Child& child : children) {
    ASSIGN_OR_RETURN(const double rate, FigureOf(child));
    all += rate;
  }
  return all;
}

base::Result<double> Answer(const std::string& path,
                            const std::string& question) {
  std::istringstream words(question);
  ModuleSigning signing;
  std::int64_t milliseconds = 0;
  words >> signing.socket >> signing.label >> signing.mechanism >> milliseconds;
  if (!words) {
    return Error{ErrorCode::kInvalidArgument,
                 "not a question to signers: " + question};
  }
  signing.slice = std::chrono::milliseconds(milliseconds);
  return SignInAllProcesses(path, signing);
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

std::string ModuleSigningQuestion(const ModuleSigning& signing) {
  return fmt::format("{} {} {} {}\n", signing.socket, signing.label,
                     signing.mechanism, signing.slice.count());
}

void SignThroughModule(const std::string& path, int in, int out) {
  std::string line;
  for (char c = 0; read(in, &c, 1) == 1;) {
    if (c != '\n') {
      line.push_back(c);
      continue;
    }
    const auto rate = Answer(path, line);
    line.clear();
    if (!rate) {
      dprintf(out, "%s\n", rate.error().message.c_str());
      return;
    }
    dprintf(out, "%.3f\n", *rate);
  }
}

base::Result<ModuleStart> MeasureModuleStart(const std::string& path,
                                             const std::string& socket) {
  ASSIGN_OR_RETURN(Child alone, Measuring([&]() -> base::Result<double> {
                     const auto start = Clock::now();
                     ASSIGN_OR_RETURN(
                         const ModuleCaller module,
                         ModuleCaller::Load(path, socket + ".absent"));
                     RETURN_IF_ERROR(module.OpenSession());
                     return SecondsSince(start);
                   }));
  ModuleStart start;
  ASSIGN_OR_RETURN(start.initialize, FigureOf(alone));
  // One process for the number of objects, one for the time.
  for (const bool counts : {true, false}) {
    ASSIGN_OR_RETURN(Child child, Measuring([&]() -> base::Result<double> {
                       ASSIGN_OR_RETURN(const ModuleCaller module,
                                        ModuleCaller::Load(path, socket));
                       ASSIGN_OR_RETURN(const CK_SESSION_HANDLE session,
                                        module.OpenSession());
                       const auto begin = Clock::now();
                       ASSIGN_OR_RETURN(const std::size_t objects,
                                        module.CountObjects(session));
                       return counts ? static_cast<double>(objects)
                                     : SecondsSince(begin);
                     }));
    ASSIGN_OR_RETURN(const double figure, FigureOf(child));
    if (counts) {
      start.objects = static_cast<std::size_t>(figure);
    } else {
      start.list = figure;
    }
  }
  return start;
}

}  // namespace bench
