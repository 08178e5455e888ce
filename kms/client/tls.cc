// SPDX-License-Identifier: Apache-2.0
#include "kms/client/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kRecordBytes = 17U << 10;  // One TLS record and more.

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

bool IsIpAddress(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// A TlsStream is TLS over a Socket. OpenSSL never sees the descriptor: it reads
// and writes two memory buffers, and Pump carries their bytes. So nothing that
// OpenSSL does, not even freeing, can write to the peer or raise SIGPIPE.
class TlsStream final : public Stream {
 public:
  TlsStream(Socket socket, SslPtr ssl)
      : socket_(std::move(socket)), ssl_(std::move(ssl)) {}

  base::Status Handshake(const std::string& host, const Deadline& deadline);
  base::Status Write(base::ByteView bytes, const Deadline& deadline) override;
  base::Result<std::size_t> Read(std::span<std::uint8_t> into,
                                 const Deadline& deadline) override;
  bool IsQuiet(const Deadline& deadline) override;

 private:
  base::Status Flush(const Deadline& deadline);
  base::Result<std::size_t> Fill(const Deadline& deadline);
  Error HandshakeFailed(const std::string& host);

  Socket socket_;
  SslPtr ssl_;
  std::array<std::uint8_t, kRecordBytes> record_{};  // Ciphertext only.
};

// Sends what OpenSSL has left in its outgoing buffer.
base::Status TlsStream::Flush(const Deadline& deadline) {
  BIO* const out = SSL_get_wbio(ssl_.get());
  while (BIO_ctrl_pending(out) > 0) {
    const int size =
        BIO_read(out, record_.data(), static_cast<int>(record_.size()));
    RETURN_IF_ERROR(socket_.Write(
        {record_.data(), static_cast<std::size_t>(std::max(size, 0))},
        deadline));
  }
  return {};
}

// Receives once, into OpenSSL's incoming buffer; 0 says the peer has closed.
base::Result<std::size_t> TlsStream::Fill(const Deadline& deadline) {
  RETURN_IF_ERROR(Flush(deadline));
  ASSIGN_OR_RETURN(const std::size_t got, socket_.Read(record_, deadline));
  if (got > 0 && BIO_write(SSL_get_rbio(ssl_.get()), record_.data(),
                           static_cast<int>(got)) != static_cast<int>(got)) {
    return Error{ErrorCode::kInternal, TakeOpensslError()};
  }
  return got;
}

base::Status TlsStream::Handshake(const std::string& host,
                                  const Deadline& deadline) {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) {
      return Flush(deadline);
    }
    if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
      const Error error = HandshakeFailed(host);
      (void)Flush(deadline);  // Our alert; the peer need not hear it.
      return error;
    }
    ASSIGN_OR_RETURN(const std::size_t got, Fill(deadline));
    if (got == 0) {
      return Error{ErrorCode::kIo,
                   "the server closed the connection during the TLS "
                   "handshake"};
    }
  }
}

Error TlsStream::HandshakeFailed(const std::string& host) {
  const long verdict = SSL_get_verify_result(ssl_.get());
  const std::string text = TakeOpensslError();
  if (verdict != X509_V_OK) {
    return Error{ErrorCode::kInvalidArgument,
                 "the certificate of " + host +
                     " is refused: " + X509_verify_cert_error_string(verdict) +
                     " (CLAVIGER_CA_FILE names the authority to trust)"};
  }
  return Error{ErrorCode::kCorrupt,
               "TLS handshake with " + host + " failed: " + text};
}

base::Status TlsStream::Write(base::ByteView bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t taken = 0;
    const int result =
        SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &taken);
    if (result == 1) {
      bytes = bytes.subspan(taken);
      NoteSent();  // Before the kernel has it: an error on the safe side.
      RETURN_IF_ERROR(Flush(deadline));
      continue;
    }
    // The memory buffer takes everything, and renegotiation is off: there is
    // nothing to wait for.
    return Error{ErrorCode::kIo, "TLS: " + TakeOpensslError()};
  }
  return {};
}

base::Result<std::size_t> TlsStream::Read(std::span<std::uint8_t> into,
                                          const Deadline& deadline) {
  for (;;) {
    ERR_clear_error();
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
    if (result == 1) {
      return got;
    }
    const int why = SSL_get_error(ssl_.get(), result);
    if (why == SSL_ERROR_ZERO_RETURN) {
      return std::size_t{0};
    }
    if (why != SSL_ERROR_WANT_READ) {
      return Error{ErrorCode::kCorrupt, "TLS: " + TakeOpensslError()};
    }
    ASSIGN_OR_RETURN(const std::size_t received, Fill(deadline));
    if (received == 0) {
      return std::size_t{0};  // Content-Length tells whether that is too soon.
    }
  }
}

// A TLS 1.3 server may send session tickets at any time: bytes on the socket
// are no reason to distrust it unless they decrypt to something for us.
// A server that sends many of them is not worth the wait.
bool TlsStream::IsQuiet(const Deadline& deadline) {
  if (!socket_.IsIntact()) {
    return false;
  }
  constexpr int kMostReads = 8;
  for (int reads = 0; reads < kMostReads; ++reads) {
    ERR_clear_error();
    std::uint8_t byte = 0;
    std::size_t got = 0;
    const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
    const bool nothing =
        result != 1 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    if (!nothing || !socket_.IsReadable()) {
      return nothing;
    }
    const base::Result<std::size_t> received = Fill(deadline);
    if (!received.has_value() || *received == 0) {
      return false;
    }
  }
  return false;
}

// Names the host for SNI and for the check of the certificate.
bool ExpectHost(SSL* ssl, const std::string& host) {
  if (IsIpAddress(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) ==
           1;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host.c_str()) == 1 &&
         SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

SslPtr NewSsl(SSL_CTX* context, OSSL_LIB_CTX* library,
              const std::string& host) {
  SslPtr ssl(SSL_new(context));
  BIO* const in = BIO_new_ex(library, BIO_s_mem());
  BIO* const out = BIO_new_ex(library, BIO_s_mem());
  if (ssl == nullptr || in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    return nullptr;
  }
  SSL_set_bio(ssl.get(), in, out);  // Takes both.
  return ExpectHost(ssl.get(), host) ? std::move(ssl) : nullptr;
}

// Without this OpenSSL would ask for a password on the host's terminal.
int NoPassword(char*, int, int, void*) { return -1; }

// Adds every certificate of `pem`; whether there was one and all were good.
bool AddCertificates(SSL_CTX* context, OSSL_LIB_CTX* library,
                     const std::string& pem) {
  const std::unique_ptr<BIO, FreeBio> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  for (std::size_t count = 0;; ++count) {
    ERR_clear_error();
    X509* next = X509_new_ex(library, nullptr);
    const bool read = PEM_read_bio_X509_AUX(text.get(), &next, NoPassword,
                                            nullptr) != nullptr;
    const std::unique_ptr<X509, FreeCertificate> certificate(next);
    if (!read) {
      const unsigned long error = ERR_peek_last_error();
      const bool end = ERR_GET_LIB(error) == ERR_LIB_PEM &&
                       ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
      return end && count > 0;
    }
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context),
                            certificate.get()) != 1) {
      return false;
    }
  }
}

}  // namespace

base::Result<Authorities> Authorities::Read(const std::string& file) {
  Authorities authorities{file, ""};
  if (file.empty()) {
    return authorities;
  }
  constexpr std::streamsize kMaxBytes = 8 << 20;
  std::ifstream in(file, std::ios::binary);
  authorities.pem.resize(kMaxBytes);
  in.read(authorities.pem.data(), kMaxBytes);
  const std::streamsize size = in.gcount();
  if (size == kMaxBytes || in.bad() || !in.eof()) {
    return Error{ErrorCode::kInvalidArgument,
                 "no certificate to trust in '" + file +
                     "': it cannot be read, or is larger than 8 MB"};
  }
  authorities.pem.resize(static_cast<std::size_t>(size));
  authorities.pem.shrink_to_fit();
  return authorities;
}

void TlsContext::Free::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

base::Result<TlsContext> TlsContext::Create(const LibraryContext& library,
                                            const Authorities& authorities) {
  const HostErrors errors;
  TlsContext tls;
  tls.openssl_ = library.get();
  tls.context_.reset(
      SSL_CTX_new_ex(library.get(), nullptr, TLS_client_method()));
  SSL_CTX* const context = tls.context_.get();
  if (context == nullptr ||
      SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
    return Error{ErrorCode::kInternal, "TLS: " + TakeOpensslError()};
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  const bool loaded =
      authorities.file.empty()
          ? SSL_CTX_set_default_verify_paths(context) == 1
          : AddCertificates(context, library.get(), authorities.pem);
  if (!loaded) {
    return Error{ErrorCode::kInvalidArgument, "no certificate to trust in '" +
                                                  authorities.file +
                                                  "': " + TakeOpensslError()};
  }
  return tls;
}

base::Result<std::unique_ptr<Stream>> TlsContext::Connect(
    Socket socket, const std::string& host, const Deadline& deadline) {
  SslPtr ssl = NewSsl(context_.get(), openssl_, host);
  if (ssl == nullptr) {
    return Error{ErrorCode::kInternal, "TLS: " + TakeOpensslError()};
  }
  auto stream = std::make_unique<TlsStream>(std::move(socket), std::move(ssl));
  RETURN_IF_ERROR(stream->Handshake(host, deadline));
  return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace kms::client
