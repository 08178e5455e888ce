// SPDX-License-Identifier: Apache-2.0
#include "hsm/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "base/log.h"
#include "hsm/socket.h"
#include "hsm/supervisor_protocol.h"
#include "hsm/worker_set.h"

namespace hsm {
namespace {

using std::chrono::milliseconds;

// Each waits for a worker of some io thread of clavigerd.
constexpr std::size_t kMaxPeers = 256;

base::Result<Fd> CatchSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  // A peer that has gone is an error of write().
  ::signal(SIGPIPE, SIG_IGN);
  Fd fd;
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) == 0) {
    fd = Fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  if (!fd.valid()) {
    return ErrnoError("catch signals");
  }
  return fd;
}

// A Supervisor is the loop of RunSupervisor().
class Supervisor {
 public:
  Supervisor(const SupervisorOptions& options, const base::Clock& clock,
             pid_t parent, Fd listener, Fd signals)
      : options_(options),
        clock_(clock),
        parent_(parent),
        listener_(std::move(listener)),
        signals_(std::move(signals)),
        workers_(options, clock) {}

  base::Status Run();

 private:
  // One connection of clavigerd; it asks one question at a time.
  struct Peer {
    Fd socket;
    std::optional<SupervisorRequest> asked;  // Not answered yet.
    bool gone = false;
  };

  base::Status Wait();
  int TimeoutMs() const;
  void OnSignals();
  void Accept();
  void Admit(Fd socket);
  void Read(Peer& peer);
  void TryToAnswer(Peer& peer);
  void Reply(Peer& peer, const base::Status& status, int fd = -1);

  const SupervisorOptions& options_;
  const base::Clock& clock_;
  const pid_t parent_;
  Fd listener_;  // Open to the end: it shows that workers may be left.
  Fd signals_;
  WorkerSet workers_;
  std::vector<Peer> peers_;
  bool stopping_ = false;
  std::vector<pollfd> polled_;
};

base::Status Supervisor::Run() {
  while (!stopping_) {
    workers_.Advance();
    for (Peer& peer : peers_) {
      TryToAnswer(peer);
    }
    std::erase_if(peers_, [](const Peer& peer) { return peer.gone; });
    RETURN_IF_ERROR(Wait());
  }
  workers_.Stop(parent_);
  return {};
}

// Waits for the next event of any kind, and takes note of all there are.
base::Status Supervisor::Wait() {
  polled_.clear();
  polled_.push_back({signals_.get(), POLLIN, 0});
  const bool full = peers_.size() >= kMaxPeers;
  polled_.push_back({full ? -1 : listener_.get(), POLLIN, 0});
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    polled_.push_back({workers_.ReportFd(i), POLLIN, 0});
  }
  for (const Peer& peer : peers_) {
    polled_.push_back({peer.socket.get(), POLLIN, 0});
  }
  if (poll(polled_.data(), polled_.size(), TimeoutMs()) < 0) {
    return errno == EINTR ? base::Status() : ErrnoError("poll");
  }
  const auto happened = [this](std::size_t i) {
    return polled_[i].revents != 0;
  };
  const std::size_t first_peer = 2 + workers_.size();
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (happened(first_peer + i)) {
      Read(peers_[i]);
    }
  }
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (happened(2 + i)) {
      workers_.OnReport(i);
    }
  }
  if (happened(1)) {
    Accept();
  }
  if (happened(0)) {
    OnSignals();
  }
  return {};
}

int Supervisor::TimeoutMs() const {
  const std::optional<base::MonotonicTime> due = workers_.NextDue();
  if (!due) {
    return -1;
  }
  const auto left = std::chrono::ceil<milliseconds>(*due - clock_.Monotonic());
  return static_cast<int>(
      std::clamp(left, milliseconds{0}, milliseconds{60'000}).count());
}

void Supervisor::OnSignals() {
  signalfd_siginfo signal{};
  while (read(signals_.get(), &signal, sizeof(signal)) == sizeof(signal)) {
    switch (signal.ssi_signo) {
      case SIGCHLD:
        workers_.Reap();
        break;
      case SIGHUP:
        if (options_.on_forgive) {
          options_.on_forgive();
        }
        workers_.Forgive();
        break;
      default:
        stopping_ = true;
    }
  }
}

void Supervisor::Accept() {
  while (peers_.size() < kMaxPeers) {
    Fd socket(accept4(listener_.get(), nullptr, nullptr,
                      SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) {
      return;
    }
    Admit(std::move(socket));
  }
}

void Supervisor::Admit(Fd socket) {
  const base::Result<uid_t> uid = PeerUid(socket.get());
  Peer peer{std::move(socket), std::nullopt, false};
  if (uid && std::ranges::find(options_.allowed_uids, *uid) !=
                 options_.allowed_uids.end()) {
    peers_.push_back(std::move(peer));
    return;
  }
  base::LogWarning("{}: refused a connection from uid {}", options_.key_store,
                   uid ? std::to_string(*uid) : "unknown");
  Reply(peer, base::Error{base::ErrorCode::kAccessDenied,
                          "claviger-hsm does not serve this user: see "
                          "allowed_user in its configuration"});
}

void Supervisor::Read(Peer& peer) {
  const auto packet = ReceivePacket(peer.socket.get());
  if (!packet && packet.error().code == base::ErrorCode::kBusy) {
    return;
  }
  if (!packet || packet->bytes.empty() || peer.asked) {
    peer.gone = true;
    return;
  }
  auto request = DecodeRequest(packet->bytes);
  if (!request) {
    Reply(peer, request.error());
    peer.gone = true;
  } else if (request->worker >= workers_.size()) {
    Reply(peer,
          base::Error{base::ErrorCode::kInvalidArgument,
                      "claviger-hsm runs " + std::to_string(workers_.size()) +
                          " workers for this key store: start clavigerd "
                          "and claviger-hsm with the same configuration"});
  } else {
    peer.asked = *request;
  }
}

// Every state of a worker either has an answer or leads to one that has.
void Supervisor::TryToAnswer(Peer& peer) {
  if (!peer.asked || peer.gone) {
    return;
  }
  const std::size_t worker = peer.asked->worker;
  if (peer.asked->kind == SupervisorRequest::Kind::kReplace) {
    if (workers_.Replace(worker, peer.asked->generation)) {
      Reply(peer, base::Status());
    }
    return;
  }
  const base::Result<std::optional<Fd>> connection = workers_.Connect(worker);
  if (!connection) {
    Reply(peer, connection.error());
  } else if (connection->has_value()) {
    Reply(peer, base::Status(), (*connection)->get());
  }
}

void Supervisor::Reply(Peer& peer, const base::Status& status, int fd) {
  SupervisorReply reply{0, status};
  if (peer.asked) {
    reply.generation = workers_.GenerationOf(peer.asked->worker);
  }
  peer.asked.reset();
  if (!SendPacket(peer.socket.get(), EncodeReply(reply), fd)) {
    peer.gone = true;
  }
}

void SayReady(int fd) {
  constexpr std::string_view kReady = "ready\n";
  if (fd >= 0) {
    // Whoever asked for it may have gone: then nobody waits.
    static_cast<void>(::write(fd, kReady.data(), kReady.size()) < 0);
    close(fd);
  }
}

// A worker that was forked in the moment in which an earlier supervisor was
// killed holds that one's socket until it closes what it has inherited. Until
// then the socket only looks served.
base::Result<Fd> ListenAtWhenFree(const std::string& path) {
  constexpr int kAttempts = 25;
  constexpr std::chrono::milliseconds kPause{20};
  for (int attempt = 1;; ++attempt) {
    base::Result<Fd> listener = ListenAt(path);
    const bool served =
        !listener && listener.error().code == base::ErrorCode::kBusy;
    if (!served || attempt == kAttempts) {
      return listener;
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

base::Status RunSupervisor(const SupervisorOptions& options,
                           const base::Clock& clock) {
  const pid_t parent = getppid();
  ASSIGN_OR_RETURN(Fd signals, CatchSignals());
  ASSIGN_OR_RETURN(Fd listener, ListenAtWhenFree(options.socket_path));
  const SocketFile file(options.socket_path);
  SayReady(options.ready_fd);
  Supervisor supervisor(options, clock, parent, std::move(listener),
                        std::move(signals));
  base::Status status = supervisor.Run();
  file.Remove();
  return status;
}

}  // namespace hsm
