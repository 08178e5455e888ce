// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_SERVER_H_
#define TESTS_BENCH_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kms/client/client.h"
#include "tests/bench/child.h"

namespace bench {

// A Server is a `clavigerd --dev` with its workers.
class Server {
 public:
  // Starts the programs of `bin_dir` on a new state in `folder`. Fails with the
  // place of the messages if they do not become ready.
  static base::Result<Server> Start(
      const std::string& bin_dir, const std::string& folder,
      const std::vector<std::string>& options = {});

  // Calls an operation and returns the value of the reply's member `member`,
  // which may be nested ("KeyMetadata/KeyId").
  base::Result<std::string> Ask(std::string_view operation,
                                std::string_view request,
                                std::string_view member);

  std::uint16_t port() const { return port_; }
  const std::string& socket() const { return socket_; }
  // Of clavigerd, claviger-hsm and its workers.
  double CpuSeconds() const { return bench::CpuSeconds(process_.pid()); }
  double Megabytes() const { return bench::Megabytes(process_.pid()); }

 private:
  Server(Child process, std::uint16_t port, std::string socket,
         std::unique_ptr<base::RealClock> clock,
         std::unique_ptr<kms::client::Client> client);

  Child process_;
  std::uint16_t port_;
  std::string socket_;
  std::unique_ptr<base::RealClock> clock_;
  std::unique_ptr<kms::client::Client> client_;
};

}  // namespace bench

#endif  // TESTS_BENCH_SERVER_H_
