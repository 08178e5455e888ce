// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/xks_proxy.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "base/hash.h"

namespace fakes {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <typename T>
using Owner = std::unique_ptr<T, Free>;

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

Owner<BIO> Memory(const std::string& text) {
  return Owner<BIO>(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Owner<X509> ReadCertificate(const std::string& pem) {
  return Owner<X509>(
      PEM_read_bio_X509(Memory(pem).get(), nullptr, nullptr, nullptr));
}

std::shared_ptr<SSL_CTX> ServerContext(const testlib::Identity& identity,
                                       const std::string& client_authority) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), Free());
  const Owner<EVP_PKEY> key(PEM_read_bio_PrivateKey(Memory(identity.key).get(),
                                                    nullptr, nullptr, nullptr));
  Require(SSL_CTX_use_certificate(
              context.get(), ReadCertificate(identity.certificate).get()) ==
              1 &&
          SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
  if (!client_authority.empty()) {
    Require(X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()),
                                ReadCertificate(client_authority).get()) == 1);
    SSL_CTX_set_verify(context.get(),
                       SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       nullptr);
  }
  return context;
}

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return text;
}

// Takes one request off the front of `bytes`, if it is whole.
std::optional<ProxyRequest> TakeRequest(std::string& bytes) {
  const std::size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string::npos) {
    return std::nullopt;
  }
  ProxyRequest request;
  std::size_t at = bytes.find("\r\n");
  const std::string first = bytes.substr(0, at);
  request.method = first.substr(0, first.find(' '));
  request.path = first.substr(first.find(' ') + 1);
  request.path.resize(request.path.find(' '));
  while (at < head_end) {
    at += 2;
    const std::size_t end = bytes.find("\r\n", at);
    const std::size_t colon = bytes.find(": ", at);
    request.headers.emplace_back(bytes.substr(at, colon - at),
                                 bytes.substr(colon + 2, end - colon - 2));
    at = end;
  }
  const std::size_t size = std::stoul("0" + request.Header("content-length"));
  if (bytes.size() < head_end + 4 + size) {
    return std::nullopt;
  }
  request.body = bytes.substr(head_end + 4, size);
  bytes.erase(0, head_end + 4 + size);
  return request;
}

}  // namespace

std::string ProxyRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (Lower(key) == name) {
      return value;
    }
  }
  return "";
}

ProxyAnswer HttpAnswer(int status, const std::string& body,
                       const std::string& more_headers) {
  return {
      fmt::format("HTTP/1.1 {} Some\r\ncontent-type: application/json\r\n"
                  "content-length: {}\r\n{}\r\n{}",
                  status, body.size(), more_headers, body)};
}

ProxyAnswer ErrorAnswer(int status, const std::string& name,
                        const std::string& message) {
  nlohmann::json body = {{"errorName", name}};
  if (!message.empty()) {
    body["errorMessage"] = message;
  }
  return HttpAnswer(status, body.dump());
}

std::string HonestBody(
    const ProxyRequest& request,
    const std::vector<std::pair<std::string, std::string>>& changes) {
  const auto asked = nlohmann::json::parse(request.body);
  const auto bytes = [&asked](const char* name) {
    return base::Base64Decode(asked.value(name, "")).value();
  };
  const auto flipped = [](base::Bytes text) {
    std::ranges::transform(text, text.begin(), [](std::uint8_t byte) {
      return static_cast<std::uint8_t>(~byte);
    });
    return text;
  };
  nlohmann::json body;
  if (request.path.ends_with("/health")) {
    body = {{"xksProxyFleetSize", 1},
            {"xksProxyVendor", "Vendor"},
            {"xksProxyModel", "Model 1"},
            {"ekmVendor", "Manager"},
            {"ekmFleetDetails",
             {{{"id", "hsm-1"}, {"model", "M"}, {"healthStatus", "ACTIVE"}}}}};
  } else if (request.path.ends_with("/metadata")) {
    body = {{"keySpec", "AES_256"},
            {"keyUsage", {"ENCRYPT", "DECRYPT"}},
            {"keyStatus", "ENABLED"}};
  } else if (request.path.ends_with("/encrypt")) {
    const base::Bytes iv(12, 0x11);
    const base::Bytes tag(16, 0x22);
    const base::Bytes ciphertext = flipped(bytes("plaintext"));
    base::Bytes all = bytes("additionalAuthenticatedData");
    for (const base::Bytes& part : {iv, ciphertext, tag}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    body = {{"ciphertext", base::Base64Encode(ciphertext)},
            {"initializationVector", base::Base64Encode(iv)},
            {"authenticationTag", base::Base64Encode(tag)},
            {"ciphertextDataIntegrityValue",
             base::Base64Encode(base::ThreadHasher().Sha256(all))}};
  } else {
    body = {{"plaintext", base::Base64Encode(flipped(bytes("ciphertext")))}};
  }
  for (const auto& [name, value] : changes) {
    body[name] = value;
  }
  return body.dump();
}

ProxyAnswer Honest(const ProxyRequest& request) {
  return HttpAnswer(200, HonestBody(request));
}

struct XksProxy::Parts {
  void Accept();
  void Serve(int socket, const std::shared_ptr<SSL_CTX>& with);
  // Reads and answers until the connection ends.
  void Answer(SSL* ssl);
  void ShutDownAll();

  AnswerFn answer;
  std::string client_authority;
  int listener = -1;
  std::uint16_t port = 0;
  mutable std::mutex mutex;
  // Guarded by mutex.
  std::shared_ptr<SSL_CTX> context;
  std::vector<ProxyRequest> requests;
  std::set<int> sockets;
  std::vector<std::thread> threads;
  int accepted = 0;
  bool stopping = false;
  std::thread accepting;  // Last: it uses all of these.
};

XksProxy::XksProxy(const testlib::Identity& identity, AnswerFn answer,
                   const std::string& client_authority)
    : parts_(std::make_unique<Parts>()) {
  signal(SIGPIPE, SIG_IGN);  // A client that has gone is an error of write().
  Parts& parts = *parts_;
  parts.answer = std::move(answer);
  parts.client_authority = client_authority;
  parts.context = ServerContext(identity, client_authority);
  parts.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  Require(bind(parts.listener, reinterpret_cast<sockaddr*>(&address), size) ==
              0 &&
          listen(parts.listener, SOMAXCONN) == 0 &&
          getsockname(parts.listener, reinterpret_cast<sockaddr*>(&address),
                      &size) == 0);
  parts.port = ntohs(address.sin_port);
  parts.accepting = std::thread([&parts] { parts.Accept(); });
}

XksProxy::~XksProxy() {
  {
    const std::lock_guard lock(parts_->mutex);
    parts_->stopping = true;
  }
  shutdown(parts_->listener, SHUT_RDWR);
  parts_->accepting.join();
  close(parts_->listener);
  parts_->ShutDownAll();
  for (std::thread& thread : parts_->threads) {
    thread.join();
  }
}

std::uint16_t XksProxy::port() const { return parts_->port; }

std::vector<ProxyRequest> XksProxy::requests() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->requests;
}

int XksProxy::connections() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->accepted;
}

void XksProxy::Change(const testlib::Identity& identity) {
  const std::lock_guard lock(parts_->mutex);
  parts_->context = ServerContext(identity, parts_->client_authority);
}

void XksProxy::DropConnections() { parts_->ShutDownAll(); }

void XksProxy::Parts::ShutDownAll() {
  const std::lock_guard lock(mutex);
  for (const int socket : sockets) {
    shutdown(socket, SHUT_RDWR);
  }
}

void XksProxy::Parts::Accept() {
  for (;;) {
    const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex);
    if (socket < 0 || stopping) {
      if (socket >= 0) {
        close(socket);
      }
      return;
    }
    ++accepted;
    sockets.insert(socket);
    threads.emplace_back(
        [this, socket, with = context] { Serve(socket, with); });
  }
}

void XksProxy::Parts::Serve(int socket, const std::shared_ptr<SSL_CTX>& with) {
  const Owner<SSL> ssl(SSL_new(with.get()));
  SSL_set_fd(ssl.get(), socket);
  if (SSL_accept(ssl.get()) == 1) {
    Answer(ssl.get());
    SSL_shutdown(ssl.get());
  }
  // Lets the client read what was sent before it learns of the end.
  shutdown(socket, SHUT_WR);
  std::array<char, 4096> rest{};
  while (recv(socket, rest.data(), rest.size(), 0) > 0) {
  }
  const std::lock_guard lock(mutex);
  sockets.erase(socket);
  close(socket);
}

void XksProxy::Parts::Answer(SSL* ssl) {
  std::string bytes;
  std::array<char, 16384> piece{};
  for (;;) {
    const int size =
        SSL_read(ssl, piece.data(), static_cast<int>(piece.size()));
    if (size <= 0) {
      return;
    }
    bytes.append(piece.data(), static_cast<std::size_t>(size));
    while (const auto request = TakeRequest(bytes)) {
      {
        const std::lock_guard lock(mutex);
        requests.push_back(*request);
      }
      const ProxyAnswer answered = answer(*request);
      if (!answered.bytes.empty() &&
          SSL_write(ssl, answered.bytes.data(),
                    static_cast<int>(answered.bytes.size())) <= 0) {
        return;
      }
      if (answered.close) {
        return;
      }
    }
  }
}

}  // namespace fakes
