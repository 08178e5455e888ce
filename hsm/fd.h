// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_FD_H_
#define HSM_FD_H_

#include <utility>

namespace hsm {

// An Fd owns a file descriptor, or none (-1), and closes it.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }
  void Close();

 private:
  int fd_ = -1;
};

}  // namespace hsm

#endif  // HSM_FD_H_
