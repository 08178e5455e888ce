// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_SUPERVISED_H_
#define TESTS_HSM_SUPERVISED_H_

#include <sys/types.h>

#include <string>

#include "hsm/fd.h"
#include "hsm/supervisor.h"
#include "tests/hsm/memory_token.h"
#include "tests/testlib/temp_dir.h"

namespace hsm_test {

// A Supervised is a supervisor with its workers, forked from the test, on
// MemoryTokens unless told otherwise. They end with the object, or with the
// test.
class Supervised {
 public:
  explicit Supervised(int workers = 2);
  ~Supervised();
  Supervised(const Supervised&) = delete;
  Supervised& operator=(const Supervised&) = delete;

  // Before Start().
  hsm::SupervisorOptions& options() { return options_; }
  // What the supervisor gets when the process that has called Start() dies.
  void set_death_signal(int signal) { death_signal_ = signal; }

  Shared& shared() { return *shared_; }
  const std::string& socket_path() const { return options_.socket_path; }
  pid_t pid() const { return pid_; }

  // Returns when it listens.
  void Start();
  // SIGTERM, or SIGKILL; returns its exit status, 0 if it stopped cleanly.
  int Stop();
  int Kill();

 private:
  int End(int signal);

  testlib::TempDir directory_;
  Shared* shared_;
  hsm::SupervisorOptions options_;
  pid_t pid_ = -1;
  int death_signal_;
};

// Waits until `condition` holds; false if it does not for a minute. For what
// other processes do, and nobody tells us.
template <typename Condition>
bool Eventually(Condition condition);

void Breathe();  // Lets other processes run for a moment.

template <typename Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 30'000; ++i) {
    if (condition()) {
      return true;
    }
    Breathe();
  }
  return false;
}

}  // namespace hsm_test

#endif  // TESTS_HSM_SUPERVISED_H_
