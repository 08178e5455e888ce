// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_FILES_FILES_H_
#define TOOLS_FILES_FILES_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

// Small files and child processes, for setting a server up.
namespace tools {

bool Exists(const std::string& path);
base::Status MakeDirectory(const std::string& path, mode_t mode);

// Writes the whole file under another name and renames it into place.
base::Status WriteFile(const std::string& path, std::string_view text,
                       mode_t mode);

// Reads a file of at most 4 KiB; one line break at its end is dropped. Fails
// with kInvalidArgument if others than its owner and root may read it.
base::Result<base::Secret> ReadSecretFile(const std::string& path);

// Reads a file of at most `most` bytes that is no secret.
base::Result<std::string> ReadPublicFile(const std::string& path,
                                         std::size_t most);

// The program `name` beside the running one, else in PATH.
std::string SiblingProgram(std::string_view name);

// Starts a program (arguments[0] is its path). `ready_fd`, unless -1, stays
// open in it. It gets SIGTERM when we die.
base::Result<pid_t> StartProgram(const std::vector<std::string>& arguments,
                                 int ready_fd);

// Runs one to its end; kInternal unless it exits with 0.
base::Status RunProgram(const std::vector<std::string>& arguments);

}  // namespace tools

#endif  // TOOLS_FILES_FILES_H_
