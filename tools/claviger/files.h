// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_FILES_H_
#define TOOLS_CLAVIGER_FILES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "tools/claviger/envelope_header.h"

namespace tools::claviger {

// A Descriptor owns an open file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  int get() const { return number_; }

 private:
  int number_;
};

// Writes all of `bytes`. Fails with kIo.
base::Status WriteAll(int descriptor, base::ByteView bytes);

// The Error of the last system call, about `path`.
base::Error SystemError(const std::string& path);

// An InputFile is a file, or standard input ("-"), to be read once.
class InputFile {
 public:
  // Fails with kIo, naming the file.
  static base::Result<InputFile> Open(const std::string& path);

  // Reads from the file, which must outlive it. Fails with kIo.
  Source source() const;

  // The size of a regular file.
  std::optional<std::uint64_t> size() const { return size_; }

 private:
  InputFile(std::string path, Descriptor descriptor,
            std::optional<std::uint64_t> size);

  std::string path_;
  Descriptor descriptor_;
  std::optional<std::uint64_t> size_;
};

enum class IfExists : std::uint8_t { kRefuse, kReplace };

// An OutputFile is a file that appears under its name all at once, complete and
// on disk, or not at all. Until Commit() it has no name where the file system
// can do that (O_TMPFILE), so that not even a kill leaves a part of it behind;
// elsewhere it is a hidden file in the same folder. Its mode is 0600.
class OutputFile {
 public:
  // Fails with kInvalidArgument if `path` exists and `if_exists` refuses, or if
  // it is something else than a regular file, and with kIo.
  static base::Result<OutputFile> Create(const std::string& path,
                                         IfExists if_exists);
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept = default;
  OutputFile& operator=(OutputFile&& other) noexcept = delete;

  base::Status Write(base::ByteView bytes);

  // Makes the file durable and gives it its name. Fails with kIo, or with
  // kInvalidArgument if another file has taken the name in the meantime.
  base::Status Commit();

 private:
  OutputFile(std::string path, IfExists if_exists)
      : path_(std::move(path)), if_exists_(if_exists), descriptor_(-1) {}

  std::string Folder() const;
  base::Status OpenTemporary();
  base::Status NameTemporary();
  base::Status Publish();

  std::string path_;
  IfExists if_exists_;
  Descriptor descriptor_;
  std::string temporary_;  // Its name for now; empty: none.
};

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_FILES_H_
