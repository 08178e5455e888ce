// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_CLIENT_SERVER_H_
#define TESTS_KMS_CLIENT_SERVER_H_

#include <openssl/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "kms/client/endpoint.h"

namespace kms::client {

// A Peer is the server's end of one connection, in the hands of a script.
class Peer {
 public:
  Peer(int descriptor, SSL* tls) : descriptor_(descriptor), tls_(tls) {}

  // The next whole request, head and body; "" if the client has closed.
  std::string ReadRequest();
  void Send(std::string_view bytes);
  // Waits until the client closes; what it sends is thrown away.
  void WaitForClose();

 private:
  std::string ReadSome();

  int descriptor_;
  SSL* tls_;  // nullptr: no TLS.
  std::string rest_;
};

// A ScriptedServer does on each connection, one after another, what the next of
// its scripts says, then closes it. It runs in a thread of its own, which ends
// with the last script.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer&)>;
  // One script for any number of connections at once, each in its own thread.
  struct Always {
    Script script;
  };

  // On 127.0.0.1, or on the Unix socket `path`.
  explicit ScriptedServer(std::vector<Script> scripts,
                          const std::string& path = "");
  // With TLS: PEM files of the certificate and its key.
  ScriptedServer(std::vector<Script> scripts, const std::string& certificate,
                 const std::string& key);
  ScriptedServer(const std::string& path, Always always);
  ScriptedServer(const std::string& certificate, const std::string& key,
                 Always always);
  // Joins: the client must have made as many connections as there are scripts,
  // or, with Always, must have closed all that it made.
  ~ScriptedServer();

  const Endpoint& endpoint() const { return endpoint_; }
  // How many have been accepted.
  int connections() const { return connections_.load(); }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const;
  };
  void Listen(const std::string& path);
  void UseTls(const std::string& certificate, const std::string& key);
  void Run();
  void RunAlways();
  void Serve(int descriptor, const Script& script);

  std::vector<Script> scripts_;
  Script always_;  // Empty: `scripts_` counts.
  std::atomic<int> connections_ = 0;
  std::unique_ptr<SSL_CTX, FreeContext> tls_;
  int listener_ = -1;
  Endpoint endpoint_;
  std::thread thread_;
};

// "HTTP/1.1 200 OK" with `body` and a Content-Length.
std::string Reply(std::string_view body, int status = 200);

// The body of a request.
std::string BodyOf(const std::string& request);

// Answers each request with its own body.
void Echo(Peer& peer);

// Reads a request and answers it with `reply`, once for each of `replies`.
ScriptedServer::Script Answer(std::vector<std::string> replies);

}  // namespace kms::client

#endif  // TESTS_KMS_CLIENT_SERVER_H_
