// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_CHILD_H_
#define TESTS_BENCH_CHILD_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hsm/fd.h"

namespace bench {

// A Child is a process that ends, at the latest, with the object that stands
// for it. What it writes to its standard output can be read here.
class Child {
 public:
  // Runs a program; its messages go to the file `log`.
  static base::Result<Child> Run(const std::vector<std::string>& command,
                                 const std::string& log);
  // Runs `body` in a fork of this process, which has but one thread, with the
  // ends of two pipes: `in` is fed by Write(), ReadLine() reads `out`.
  static base::Result<Child> Fork(
      const std::function<void(int in, int out)>& body);

  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  base::Result<std::string> ReadLine();  // Without its end. Waits.
  base::Status Write(std::string_view text);
  pid_t pid() const { return pid_; }

 private:
  Child(pid_t pid, hsm::Fd to, hsm::Fd from);

  pid_t pid_;
  hsm::Fd to_;
  hsm::Fd from_;
};

// The seconds of CPU that the process and its descendants have used.
double CpuSeconds(pid_t pid);

// Their resident memory; what they share counts for each of them: who holds
// secrets tells no more.
double Megabytes(pid_t pid);

}  // namespace bench

#endif  // TESTS_BENCH_CHILD_H_
