// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/transfer.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "hsm/xks/errors.h"
#include "hsm/xks/own_network.h"

namespace hsm::xks {
namespace {

constexpr std::size_t kMaxHead = 16U << 10;

}  // namespace

void Append(CurlList& list, const std::string& text) {
  // On failure the list is as it was; a header that is missing is refused by
  // the proxy.
  if (curl_slist* const longer = curl_slist_append(list.get(), text.c_str())) {
    static_cast<void>(list.release());
    list.reset(longer);
  }
}

base::Result<std::unique_ptr<Transfer>> Transfer::Make(
    const Surroundings& surroundings, SignedRequest request, Sent sent,
    std::string proxy, Done done) {
  std::unique_ptr<Transfer> transfer(
      new Transfer(surroundings, std::move(request), std::move(sent),
                   std::move(proxy), std::move(done)));
  transfer->SetRequest();
  transfer->SetTransport();
  transfer->SetTls();
  if (!transfer->ok_) {
    return base::Error{base::ErrorCode::kInternal,
                       "libcurl refuses an option that the XKS client needs"};
  }
  return transfer;
}

Transfer::Transfer(const Surroundings& surroundings, SignedRequest request,
                   Sent sent, std::string proxy, Done done)
    : surroundings_(surroundings),
      request_(std::move(request)),
      sent_(std::move(sent)),
      proxy_(std::move(proxy)),
      done_(std::move(done)),
      easy_(curl_easy_init()) {
  // Longer than a string keeps within itself, where nothing is wiped.
  body_.reserve(1024);
}

template <typename Value>
Transfer& Transfer::Set(CURLoption option, Value value) {
  // In parentheses: curl_easy_setopt is a macro too, for constant options.
  ok_ = ok_ && (curl_easy_setopt)(easy_.get(), option, value) == CURLE_OK;
  return *this;
}

void Transfer::SetRequest() {
  for (const base::Header& header : request_.headers) {
    Append(headers_, header.name + ": " + header.value);
  }
  const std::string url = "https://" + request_.host + request_.path;
  Set(CURLOPT_URL, url.c_str())
      // As it is signed.
      .Set(CURLOPT_PATH_AS_IS, 1L)
      .Set(CURLOPT_POST, 1L)
      .Set(CURLOPT_POSTFIELDS, request_.body.data())
      .Set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request_.body.size()))
      .Set(CURLOPT_HTTPHEADER, headers_.get())
      .Set(CURLOPT_ERRORBUFFER, error_.data())
      .Set(CURLOPT_WRITEFUNCTION, &Transfer::OnBody)
      .Set(CURLOPT_WRITEDATA, static_cast<void*>(this))
      .Set(CURLOPT_HEADERFUNCTION, &Transfer::OnHeader)
      .Set(CURLOPT_HEADERDATA, static_cast<void*>(this))
      .Set(CURLOPT_PRIVATE, static_cast<void*>(this));
}

// Nothing that the endpoint or the environment say can lead elsewhere.
void Transfer::SetTransport() {
  Set(CURLOPT_PROTOCOLS_STR, "https")
      .Set(CURLOPT_FOLLOWLOCATION, 0L)
      .Set(CURLOPT_PROXY, "")
      .Set(CURLOPT_NOPROXY, "*")
      .Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED))
      .Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1))
      .Set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::OpenSocket)
      .Set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this))
      .Set(CURLOPT_CONNECT_TO, surroundings_.connect_to.get())
      .Set(CURLOPT_TIMEOUT_MS,
           static_cast<long>(surroundings_.settings.timeout.count()))
      .Set(CURLOPT_TCP_KEEPALIVE, 1L)
      .Set(CURLOPT_NOSIGNAL, 1L)
      // Else a name server that does not answer holds up everybody: libcurl
      // would wait for its resolver's thread.
      .Set(CURLOPT_QUICK_EXIT, 1L);
}

void Transfer::SetTls() {
  const Settings& settings = surroundings_.settings;
  Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2))
      .Set(CURLOPT_SSL_VERIFYPEER, 1L)
      .Set(CURLOPT_SSL_VERIFYHOST, 2L)
      .Set(CURLOPT_CAINFO, settings.ca_file.c_str())
      // Debian's libcurl would trust the system's folder too.
      .Set(CURLOPT_CAPATH, static_cast<const char*>(nullptr))
      // A resumed session shows no certificate that could have expired.
      .Set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
  if (!settings.client_certificate.empty()) {
    Set(CURLOPT_SSLCERT, settings.client_certificate.c_str())
        .Set(CURLOPT_SSLKEY, settings.client_key.c_str())
        // Never asked for on a terminal.
        .Set(CURLOPT_KEYPASSWD, "");
  }
}

std::size_t Transfer::OnBody(char* bytes, std::size_t size, std::size_t count,
                             void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  const std::size_t length = size * count;
  if (self.body_.size() + length > kMaxReply) {
    self.too_long_ = true;
    return 0;
  }
  self.body_.append(bytes, length);
  return length;
}

std::size_t Transfer::OnHeader(char* /*bytes*/, std::size_t size,
                               std::size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  if (self.head_size_ == 0) {
    self.NoteCertificate();
  }
  self.head_size_ += size * count;
  if (self.head_size_ > kMaxHead) {
    self.too_long_ = true;
    return 0;
  }
  return size * count;
}

// The addresses here are those that connect() gets: no name is resolved again
// between this look and the connection.
curl_socket_t Transfer::OpenSocket(void* transfer, curlsocktype /*purpose*/,
                                   curl_sockaddr* address) {
  auto& self = *static_cast<Transfer*>(transfer);
  if (!self.surroundings_.rules.MayConnect(self.request_.host, address->addr)) {
    self.forbidden_ = true;
    return CURL_SOCKET_BAD;
  }
  const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
                        address->protocol);
  self.socket_error_ = fd < 0 ? errno : 0;
  ++self.addresses_tried_;
  return fd;
}

void Transfer::NoteCertificate() {
  const curl_tlssessioninfo* tls = nullptr;
  if (curl_easy_getinfo(easy_.get(), CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK ||
      tls == nullptr || tls->backend != CURLSSLBACKEND_OPENSSL ||
      tls->internals == nullptr) {
    return;
  }
  const X509* const certificate =
      SSL_get0_peer_certificate(static_cast<const SSL*>(tls->internals));
  std::tm end{};
  if (certificate != nullptr &&
      ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1) {
    certificate_not_after_ = static_cast<std::uint64_t>(timegm(&end));
  }
}

bool Transfer::HasStayedHere(CURLcode code) const {
  long connect_error = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &connect_error);
  return !forbidden_ &&
         ((code == CURLE_COULDNT_CONNECT &&
           (IsOwnTrouble(socket_error_) ||
            IsOwnTroubleOfAll(static_cast<int>(connect_error),
                              addresses_tried_))) ||
          (code == CURLE_COULDNT_RESOLVE_HOST && !NamesResolver()));
}

XksReply Transfer::ReplyWithout(CURLcode code) const {
  // Both stay 0 without a connection; of one that was kept, only the second is
  // set.
  curl_off_t connect_time = 0;
  curl_off_t sent_time = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_CONNECT_TIME_T, &connect_time);
  curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &sent_time);
  const std::string_view said =
      error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
  XksReply reply;
  reply.outcome = OutcomeOfCurl(code, connect_time > 0 || sent_time > 0, said);
  reply.message = Printable(said);
  if (too_long_) {
    reply.outcome = XksOutcome::kMalformed;
    reply.message = "the proxy's reply is too long";
  } else if (forbidden_) {
    reply.outcome = XksOutcome::kForbidden;
    reply.message =
        request_.host +
        " has an address that is not of the public Internet, and not in "
        "xks_client.allow_networks";
  }
  return reply;
}

base::Result<XksReply> Transfer::Finish(CURLcode code) {
  curl_off_t total_time = 0;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_TOTAL_TIME_T, &total_time);
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  XksReply reply =
      code == CURLE_OK ? ReadReply(sent_, status, body_) : ReplyWithout(code);
  if (HasStayedHere(code)) {
    return base::Error{base::ErrorCode::kIo,
                       "this host's own network lets no request to " +
                           request_.host + " out: " + reply.message};
  }
  reply.microseconds = static_cast<std::uint64_t>(total_time);
  reply.certificate_not_after = certificate_not_after_;
  return reply;
}

}  // namespace hsm::xks
