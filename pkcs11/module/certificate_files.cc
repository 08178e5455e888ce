// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/certificate_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/pem.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;

constexpr off_t kMaxFileBytes = 1 << 20;
constexpr auto kEndings =
    std::to_array<std::string_view>({".cer", ".crt", ".der", ".pem"});

std::string ReasonOf(int code) {
  std::array<char, 128> text{};
  return strerror_r(code, text.data(), text.size());
}

Error Unusable(const std::string& path, std::string_view why) {
  return {ErrorCode::kInvalidArgument,
          fmt::format("certificate file {}: {}", path, why)};
}

Error Unwritable(const std::string& path) {
  return {ErrorCode::kIo,
          fmt::format("certificate file {}: {}", path, ReasonOf(errno))};
}

// An open file; negative: none.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  const int number_;
};

// Waits for nobody who writes into a pipe.
base::Result<std::string> ReadText(const std::string& path) {
  const Descriptor file(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) {
    return Unusable(path, ReasonOf(errno));
  }
  struct stat status = {};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_size > kMaxFileBytes) {
    return Unusable(path, "it is no file of at most 1 MiB");
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got =
        read(file.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return Unusable(path, got == 0 ? "it changes" : ReasonOf(errno));
    }
    have += static_cast<std::size_t>(got);
  }
  return text;
}

base::Result<std::vector<CertificatePtr>> ReadFile(const std::string& path,
                                                   OSSL_LIB_CTX* library) {
  ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  base::Result<std::vector<base::Bytes>> ders = base::CertificatesInPem(text);
  if (!ders.has_value()) {
    return Unusable(path, ders.error().message);
  }
  if (ders->empty()) {
    const base::ByteView whole = base::AsBytes(text);
    ders->emplace_back(whole.begin(), whole.end());
  }
  std::vector<CertificatePtr> certificates;
  for (const base::Bytes& der : *ders) {
    base::Result<CertificatePtr> parsed = ParseCertificate(der, library);
    if (!parsed.has_value()) {
      return Unusable(path, parsed.error().message);
    }
    certificates.push_back(*std::move(parsed));
  }
  return certificates;
}

base::Result<std::vector<std::string>> FilesIn(const std::string& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  std::vector<std::string> files;
  for (; !error && entries != std::filesystem::directory_iterator();
       entries.increment(error)) {
    const std::string ending = entries->path().extension();
    if (std::ranges::find(kEndings, ending) != kEndings.end()) {
      files.push_back(entries->path());
    }
  }
  if (error) {
    return Unusable(folder, error.message());
  }
  std::ranges::sort(files);
  return files;
}

std::string FileOf(const std::string& folder, const Certificate& certificate) {
  return folder + "/" + certificate.fingerprint + ".pem";
}

}  // namespace

base::Result<std::vector<CertificatePtr>> ReadCertificates(
    const std::string& path, OSSL_LIB_CTX* library) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    return ReadFile(path, library);
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> files, FilesIn(path));
  std::vector<CertificatePtr> all;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(const std::vector<CertificatePtr> certificates,
                     ReadFile(file, library));
    all.insert(all.end(), certificates.begin(), certificates.end());
  }
  return all;
}

base::Result<std::vector<CertificatePtr>> ReadAllCertificates(
    const std::vector<std::string>& paths, OSSL_LIB_CTX* library) {
  std::vector<CertificatePtr> all;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const std::vector<CertificatePtr> certificates,
                     ReadCertificates(path, library));
    all.insert(all.end(), certificates.begin(), certificates.end());
  }
  return all;
}

base::Status WriteCertificate(const std::string& folder,
                              const Certificate& certificate) {
  const std::string path = FileOf(folder, certificate);
  // Nobody reads half a file, nor two writers' at once.
  const std::string draft = fmt::format("{}.{}", path, getpid());
  const std::string pem = base::CertificatePem(certificate.der);
  const Descriptor file(
      open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0 ||
      write(file.get(), pem.data(), pem.size()) !=
          static_cast<ssize_t>(pem.size()) ||
      fsync(file.get()) != 0 || rename(draft.c_str(), path.c_str()) != 0) {
    const Error error = Unwritable(path);
    unlink(draft.c_str());
    return error;
  }
  return {};
}

base::Status RemoveCertificateFile(const std::string& folder,
                                   const Certificate& certificate) {
  const std::string path = FileOf(folder, certificate);
  if (unlink(path.c_str()) != 0) {
    return Unwritable(path);
  }
  return {};
}

}  // namespace pkcs11::module
