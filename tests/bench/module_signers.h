// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_MODULE_SIGNERS_H_
#define TESTS_BENCH_MODULE_SIGNERS_H_

#include <chrono>
#include <string>

#include "base/result.h"
#include "pkcs11/p11_v3.h"
#include "tests/bench/child.h"

namespace bench {

// Programs that sign at the same time, each with several sessions, and a thread
// for each of those.
struct ModuleSigning {
  std::string socket;
  std::string label;
  CK_MECHANISM_TYPE mechanism = 0;
  std::chrono::milliseconds slice{2000};
};

// A question to SignThroughModule().
std::string ModuleSigningQuestion(const ModuleSigning& signing);

// Answers each line from `in`, a ModuleSigningQuestion, with a line to `out`:
// signatures a second of 8 new processes with 4 sessions each, which load the
// module at `path`. Returns at the end of `in`, and at the first failure.
void SignThroughModule(const std::string& path, int in, int out);

// What a program that loads the module waits for, in seconds.
struct ModuleStart {
  double initialize = 0;  // C_Initialize, C_OpenSession; nobody at the socket.
  double list = 0;        // The first list of all objects, with a server.
  std::size_t objects = 0;
};

// Measures it in two processes of their own.
base::Result<ModuleStart> MeasureModuleStart(const std::string& path,
                                             const std::string& socket);

}  // namespace bench

#endif  // TESTS_BENCH_MODULE_SIGNERS_H_
