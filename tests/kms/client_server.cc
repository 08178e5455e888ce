// SPDX-License-Identifier: Apache-2.0
#include "tests/kms/client_server.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <utility>

namespace kms::client {
namespace {

void Require(bool ok, const char* what) {
  if (!ok) {
    std::cerr << "ScriptedServer: " << what << std::endl;
    std::abort();
  }
}

int BoundSocket(const sockaddr* address, socklen_t size) {
  const int descriptor =
      socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Require(descriptor >= 0 && bind(descriptor, address, size) == 0 &&
              listen(descriptor, 16) == 0,
          "listen");
  return descriptor;
}

int ListenUnix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  Require(path.size() < sizeof(address.sun_path), "path too long");
  std::ranges::copy(path, address.sun_path);
  return BoundSocket(reinterpret_cast<const sockaddr*>(&address),
                     sizeof(address));
}

int ListenLoopback(std::uint16_t& port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const int descriptor = BoundSocket(generic, sizeof(address));
  socklen_t size = sizeof(address);
  Require(getsockname(descriptor, generic, &size) == 0, "getsockname");
  port = ntohs(address.sin_port);
  return descriptor;
}

// The value of Content-Length in `head`, written as our client writes it.
std::size_t ContentLength(const std::string& head) {
  constexpr std::string_view kName = "Content-Length: ";
  const std::size_t at = head.find(kName);
  return at == std::string::npos
             ? 0
             : std::strtoul(head.c_str() + at + kName.size(), nullptr, 10);
}

}  // namespace

std::string Peer::ReadSome() {
  std::array<char, 4096> buffer{};
  const ssize_t got =
      tls_ != nullptr
          ? SSL_read(tls_, buffer.data(), static_cast<int>(buffer.size()))
          : recv(descriptor_, buffer.data(), buffer.size(), 0);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

std::string Peer::ReadRequest() {
  std::string text = std::exchange(rest_, "");
  for (;;) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::size_t size = end + 4 + ContentLength(text.substr(0, end));
      if (text.size() >= size) {
        rest_ = text.substr(size);
        text.resize(size);
        return text;
      }
    }
    const std::string more = ReadSome();
    if (more.empty()) {
      return "";
    }
    text += more;
  }
}

void Peer::Send(std::string_view bytes) {
  // The client may have hung up on us: that is its test's business.
  if (tls_ != nullptr) {
    SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
    return;
  }
  while (!bytes.empty()) {
    const ssize_t sent =
        send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Peer::WaitForClose() {
  while (!ReadSome().empty()) {
  }
}

void ScriptedServer::FreeContext::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

ScriptedServer::ScriptedServer(std::vector<Script> scripts,
                               const std::string& path)
    : scripts_(std::move(scripts)) {
  Listen(path);
  thread_ = std::thread([this] { Run(); });
}

ScriptedServer::ScriptedServer(std::vector<Script> scripts,
                               const std::string& certificate,
                               const std::string& key)
    : scripts_(std::move(scripts)) {
  UseTls(certificate, key);
  thread_ = std::thread([this] { Run(); });
}

ScriptedServer::ScriptedServer(const std::string& path, Always always)
    : always_(std::move(always.script)) {
  Listen(path);
  thread_ = std::thread([this] { RunAlways(); });
}

ScriptedServer::ScriptedServer(const std::string& certificate,
                               const std::string& key, Always always)
    : always_(std::move(always.script)) {
  UseTls(certificate, key);
  thread_ = std::thread([this] { RunAlways(); });
}

ScriptedServer::~ScriptedServer() {
  if (always_) {
    shutdown(listener_, SHUT_RDWR);  // Ends accept4().
  }
  thread_.join();
  close(listener_);
}

void ScriptedServer::Listen(const std::string& path) {
  if (path.empty()) {
    endpoint_ = {Transport::kHttp, "", "127.0.0.1", 0};
    listener_ = ListenLoopback(endpoint_.port);
  } else {
    endpoint_ = {Transport::kUnix, path, "", 0};
    listener_ = ListenUnix(path);
  }
}

void ScriptedServer::UseTls(const std::string& certificate,
                            const std::string& key) {
  tls_.reset(SSL_CTX_new(TLS_server_method()));
  Require(SSL_CTX_use_certificate_file(tls_.get(), certificate.c_str(),
                                       SSL_FILETYPE_PEM) == 1 &&
              SSL_CTX_use_PrivateKey_file(tls_.get(), key.c_str(),
                                          SSL_FILETYPE_PEM) == 1,
          "certificate");
  Listen("");
  endpoint_.transport = Transport::kHttps;
}

void ScriptedServer::Run() {
  for (const Script& script : scripts_) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    Require(descriptor >= 0, "accept");
    connections_.fetch_add(1);
    Serve(descriptor, script);
    close(descriptor);
  }
}

void ScriptedServer::RunAlways() {
  std::vector<std::thread> threads;
  for (;;) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) {
      break;
    }
    connections_.fetch_add(1);
    threads.emplace_back([this, descriptor] {
      Serve(descriptor, always_);
      close(descriptor);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

void ScriptedServer::Serve(int descriptor, const Script& script) {
  if (tls_ == nullptr) {
    Peer peer(descriptor, nullptr);
    script(peer);
    return;
  }
  SSL* const tls = SSL_new(tls_.get());
  SSL_set_fd(tls, descriptor);
  if (SSL_accept(tls) == 1) {
    Peer peer(descriptor, tls);
    script(peer);
    SSL_shutdown(tls);
  }
  ERR_clear_error();
  SSL_free(tls);
}

std::string Reply(std::string_view body, int status) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Reason\r\nx-amzn-RequestId: 5f1d\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string BodyOf(const std::string& request) {
  const std::size_t end = request.find("\r\n\r\n");
  return end == std::string::npos ? "" : request.substr(end + 4);
}

void Echo(Peer& peer) {
  for (;;) {
    const std::string request = peer.ReadRequest();
    if (request.empty()) {
      return;
    }
    peer.Send(Reply(BodyOf(request)));
  }
}

ScriptedServer::Script Answer(std::vector<std::string> replies) {
  return [replies = std::move(replies)](Peer& peer) {
    for (const std::string& reply : replies) {
      peer.ReadRequest();
      peer.Send(reply);
    }
  };
}

}  // namespace kms::client
