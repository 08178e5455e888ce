// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_CLIENT_H_
#define KMS_CLIENT_CLIENT_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kms/client/options.h"
#include "kms/client/process_state.h"
#include "kms/client/response.h"
#include "kms/client/stream.h"

namespace kms::client {

// A Client calls the operations of one clavigerd, or of AWS KMS, over a Unix
// socket, HTTPS, or plain HTTP on loopback. It keeps connections between calls.
//
// It is made to live in other people's processes: it starts no thread and no
// program, changes no signal, registers nothing for the process's end, keeps no
// global state, and has an OpenSSL library context of its own. It leaves the
// host's queue of OpenSSL errors as it was.
//
// Safe to call from any thread; calls run side by side, each on a connection of
// its own. No lock is held across input or output.
//
// Fork: parent and child may both go on calling, whatever other threads of
// the parent were doing here at the time. The child's first call closes what it
// inherited, without a word to the server, and makes contexts and connections
// of its own; those of the parent are leaked in the child, because any of their
// locks may be held. Nothing is needed from the host; AfterForkInChild() closes
// sooner.
//
// End of the process: after OPENSSL_cleanup(), calls fail with kInternal, and
// destroying a Client closes its sockets and leaks the rest.
class Client {
 public:
  // Reads certificates and makes OpenSSL contexts, but does not connect yet.
  // `clock` is borrowed. OpenSSL may read its configuration here and load other
  // modules: hold no lock around it. Fails with kInvalidArgument if `options`
  // cannot work.
  static base::Result<std::unique_ptr<Client>> Create(Options options,
                                                      const base::Clock& clock);

  // No call may be running in this process.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Calls `operation` ("Encrypt"; one of our own extensions with its prefix:
  // "Claviger.Status") with the JSON text `request`, and returns the reply.
  // All of it, with pauses and repetitions, takes no longer than
  // Options::timeout, but for looking up a host name.
  //
  // It is sent again
  //   once, where a kept connection turns out to be closed and no byte of an
  //   answer has come, if nothing was sent or `operation` may be repeated
  //   (errors.h);
  //   twice, with pauses, where the answer is ThrottlingException and
  //   `operation` may be repeated;
  //   once, where the answer is ExpiredTokenException and the profile has other
  //   credentials by now.
  //
  // An answer that is an AWS error becomes an Error by the table of errors.h,
  // its message "<AWS type>: <message>". Otherwise: kIo, the server cannot be
  // reached or hung up; kTimeout, it was too slow; kCorrupt, its reply is not
  // HTTP or TLS as it should be. After these three it is unknown whether the
  // operation took place.
  base::Result<Response> Call(std::string_view operation,
                              std::string_view request);

  // The same, but an answer that is an AWS error is a Response like any other,
  // for who wants its status and request id, too: errors.h says what it means.
  base::Result<Response> Send(std::string_view operation,
                              std::string_view request);

  // Fetches a page such as "/readyz", whatever its status.
  base::Result<Response> Get(std::string_view path);

  // For a handler of pthread_atfork(), if the host's module has one: closes in
  // a child what it inherited, with no call but fstat() and close(), so that
  // the server sees the parent's connections end when the parent ends them. It
  // also tells a child that has the pid of an ancestor that it is another.
  void AfterForkInChild();

  const Endpoint& endpoint() const { return settings_.options.endpoint; }

 private:
  explicit Client(Settings settings) : settings_(std::move(settings)) {}

  base::Result<ProcessState*> Here();
  base::Result<Response> Exchange(ProcessState& state, std::string_view message,
                                  bool repeatable, const Deadline& deadline);
  bool Pause(const ProcessState& state, int tries,
             const Deadline& deadline) const;

  const Settings settings_;
  // Of the process that called last. Owned, unless it is a parent's.
  std::atomic<ProcessState*> state_ = nullptr;
};

}  // namespace kms::client

#endif  // KMS_CLIENT_CLIENT_H_
