// SPDX-License-Identifier: Apache-2.0
#include "tests/hsm/supervised.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "base/clock.h"

namespace hsm_test {

Supervised::Supervised(int workers)
    : shared_(Shared::Make()), death_signal_(SIGKILL) {
  options_.key_store = "test";
  options_.socket_path = directory_ / "hsm.sock";
  options_.workers = workers;
  options_.allowed_uids = {geteuid()};
  options_.stop_patience = std::chrono::milliseconds{100};
  options_.prepare =
      hsm::OnToken([shared = shared_] { return MemoryToken::Open(shared); });
}

Supervised::~Supervised() {
  if (pid_ > 0) {
    Stop();
  }
}

void Supervised::Start() {
  std::array<int, 2> ready{};
  if (pipe2(ready.data(), O_CLOEXEC) != 0) {
    std::abort();
  }
  hsm::Fd reader(ready[0]);
  hsm::Fd writer(ready[1]);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, death_signal_);
    options_.ready_fd = writer.Release();
    const base::Status status = hsm::RunSupervisor(options_, base::RealClock());
    if (!status) {
      std::cerr << status.error().message << std::endl;
    }
    _exit(status ? 0 : 1);
  }
  writer.Close();
  std::array<char, 6> line{};
  if (read(reader.get(), line.data(), line.size()) !=
      static_cast<ssize_t>(line.size())) {
    std::cerr << "the supervisor did not start" << std::endl;
    std::abort();
  }
}

int Supervised::Stop() { return End(SIGTERM); }

int Supervised::Kill() { return End(SIGKILL); }

int Supervised::End(int signal) {
  int status = 0;
  kill(pid_, signal);
  waitpid(std::exchange(pid_, -1), &status, 0);
  return status;
}

void Breathe() { usleep(2000); }

}  // namespace hsm_test
