// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_HTTP_TESTING_H_
#define TESTS_KMS_HTTP_TESTING_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "kms/http/server.h"
#include "kms/identity/directory.h"
#include "kms/identity/session.h"

namespace kms::http {

// 2026-11-22T12:00:00Z, where the tests' clocks start.
inline constexpr base::WallTime kNoon{std::chrono::seconds(1795348800)};

// A directory of nobody but these.
inline std::shared_ptr<const identity::Directory> DirectoryOf(
    const std::vector<identity::AccessKey>& keys,
    store::IdentityRows rows = {}) {
  return std::make_shared<const identity::Directory>(
      std::move(rows), identity::Directory::Secrets(), keys);
}

inline identity::AccessKey AccessKeyOf(std::string_view id,
                                       std::string_view secret, Caller caller,
                                       bool active = true) {
  caller.access_key_id = id;
  return {std::string(id),
          std::make_shared<const base::Secret>(base::Secret::CopyOf(secret)),
          std::make_shared<const Caller>(std::move(caller)), active};
}

// Knows the sessions that it is told, by their tokens.
class FakeSessions final : public identity::SessionOpener {
 public:
  boost::asio::awaitable<base::Result<identity::SessionPtr>> Open(
      std::string token) override {
    ++opened;
    if (throws) {
      throw std::runtime_error("a session cannot be opened");
    }
    const auto found = sessions.find(token);
    if (found == sessions.end()) {
      co_return base::Error{
          base::ErrorCode::kUnrecognizedClient,
          "The security token included in the request is invalid."};
    }
    co_return found->second;
  }

  std::map<std::string, identity::SessionPtr> sessions;
  int opened = 0;
  bool throws = false;
};

// What a server sent back.
struct WireReply {
  int status = 0;
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;
};

// A RawClient is a blocking socket that says exactly what it is told. A read
// that gets nothing for 20 s fails the test instead of hanging it.
class RawClient {
 public:
  static RawClient Tcp(std::uint16_t port);
  static RawClient Unix(const std::string& path);
  explicit RawClient(int fd);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&&) = delete;

  int fd() const { return fd_; }
  // Returns whether everything went out.
  bool Send(std::string_view bytes);
  void FinishSending();
  // The next reply; status 0 if the connection ended before one was whole.
  WireReply Read();
  // Sends and reads.
  WireReply Call(std::string_view bytes);
  // Whether the server ends the connection, with nothing more to say.
  bool IsAtEnd();

 private:
  // Reads until `received_` has `size` bytes more; false at the end.
  bool Fill();

  int fd_;
  std::string received_;
};

// "POST / HTTP/1.1", with a Host and a Content-Length.
std::string PostOf(std::string_view body, std::string_view more_headers = "");

// A ServerThread runs an io_context and an HttpServer on a thread of its own,
// by a FakeClock.
class ServerThread {
 public:
  explicit ServerThread(Handler handler, ServerLimits limits = {});
  ~ServerThread();

  base::FakeClock& clock() { return clock_; }
  HttpServer& server() { return *server_; }
  boost::asio::io_context& io() { return io_; }

  // Listens on 127.0.0.1 and returns the port.
  std::uint16_t Listen();

  // Runs `act` on the io thread and returns what it returns.
  template <typename Act>
  auto Run(Act act) {
    std::packaged_task<decltype(act())()> task(std::move(act));
    auto done = task.get_future();
    boost::asio::post(io_, [&task] { task(); });
    return done.get();
  }

  // Lets time pass and ends what is overdue.
  void Pass(std::chrono::seconds time);

  // Starts Shutdown() on the io thread: when this returns, it has begun.
  std::future<bool> Shutdown(std::chrono::seconds limit);

  // Waits, at most 20 s, until `is_so` holds on the io thread.
  bool WaitUntil(std::function<bool()> is_so);

 private:
  base::FakeClock clock_{kNoon};
  boost::asio::io_context io_{1};
  std::unique_ptr<HttpServer> server_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
      work_;
  std::thread thread_;
};

// Answers 200 with "METHOD TARGET BODY".
boost::asio::awaitable<HttpResponse> Echo(const HttpRequest& request);

}  // namespace kms::http

#endif  // TESTS_KMS_HTTP_TESTING_H_
