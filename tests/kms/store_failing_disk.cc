// SPDX-License-Identifier: Apache-2.0
#include "tests/kms/store_failing_disk.h"

#include <sqlite3.h>

#include <atomic>
#include <cstdlib>

namespace kms::store {
namespace {

std::atomic<int> write_code{SQLITE_OK};
std::atomic<int> sync_code{SQLITE_OK};
std::atomic<int> sync_failures{0};  // How many; negative: without end.
std::atomic<int> read_code{SQLITE_OK};
std::atomic<int> refused_locks{0};

// Our file; the real one's memory follows it.
struct File {
  sqlite3_file base;
};

sqlite3_file* Real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
}

// Calls the same method of the real file.
template <auto kMethod, typename... Args>
auto Forward(sqlite3_file* file, Args... args) {
  sqlite3_file* const real = Real(file);
  return (real->pMethods->*kMethod)(real, args...);
}

int Read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
  const int code = read_code.load();
  return code != SQLITE_OK
             ? code
             : Forward<&sqlite3_io_methods::xRead>(file, out, size, offset);
}

int Write(sqlite3_file* file, const void* in, int size, sqlite3_int64 offset) {
  const int code = write_code.load();
  return code != SQLITE_OK
             ? code
             : Forward<&sqlite3_io_methods::xWrite>(file, in, size, offset);
}

int Sync(sqlite3_file* file, int flags) {
  if (sync_failures.load() != 0) {
    --sync_failures;
    return sync_code.load();
  }
  return Forward<&sqlite3_io_methods::xSync>(file, flags);
}

// The write lock of a database with a write-ahead log is slot 0 of its shared
// memory.
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  constexpr int kTake = SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE;
  if (offset == 0 && flags == kTake && refused_locks.load() > 0) {
    --refused_locks;
    return SQLITE_BUSY;
  }
  return Forward<&sqlite3_io_methods::xShmLock>(file, offset, count, flags);
}

constexpr sqlite3_io_methods kMethods = {
    3,
    [](sqlite3_file* file) {
      return Forward<&sqlite3_io_methods::xClose>(file);
    },
    Read,
    Write,
    [](sqlite3_file* file, sqlite3_int64 size) {
      return Forward<&sqlite3_io_methods::xTruncate>(file, size);
    },
    Sync,
    [](sqlite3_file* file, sqlite3_int64* size) {
      return Forward<&sqlite3_io_methods::xFileSize>(file, size);
    },
    [](sqlite3_file* file, int level) {
      return Forward<&sqlite3_io_methods::xLock>(file, level);
    },
    [](sqlite3_file* file, int level) {
      return Forward<&sqlite3_io_methods::xUnlock>(file, level);
    },
    [](sqlite3_file* file, int* reserved) {
      return Forward<&sqlite3_io_methods::xCheckReservedLock>(file, reserved);
    },
    [](sqlite3_file* file, int op, void* arg) {
      return Forward<&sqlite3_io_methods::xFileControl>(file, op, arg);
    },
    [](sqlite3_file* file) {
      return Forward<&sqlite3_io_methods::xSectorSize>(file);
    },
    [](sqlite3_file* file) {
      return Forward<&sqlite3_io_methods::xDeviceCharacteristics>(file);
    },
    [](sqlite3_file* file, int region, int size, int extend,
       void volatile** out) {
      return Forward<&sqlite3_io_methods::xShmMap>(file, region, size, extend,
                                                   out);
    },
    ShmLock,
    [](sqlite3_file* file) { Forward<&sqlite3_io_methods::xShmBarrier>(file); },
    [](sqlite3_file* file, int remove) {
      return Forward<&sqlite3_io_methods::xShmUnmap>(file, remove);
    },
    [](sqlite3_file* file, sqlite3_int64 offset, int size, void** out) {
      return Forward<&sqlite3_io_methods::xFetch>(file, offset, size, out);
    },
    [](sqlite3_file* file, sqlite3_int64 offset, void* page) {
      return Forward<&sqlite3_io_methods::xUnfetch>(file, offset, page);
    },
};

int OpenFile(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
             int* out_flags) {
  auto* const real = static_cast<sqlite3_vfs*>(vfs->pAppData);
  const int code = real->xOpen(real, name, Real(file), flags, out_flags);
  // SQLite closes exactly those files that have methods.
  file->pMethods = Real(file)->pMethods == nullptr ? nullptr : &kMethods;
  return code;
}

sqlite3_vfs* Register() {
  sqlite3_vfs* const real = sqlite3_vfs_find(nullptr);
  // The other methods take no file; the real one's serve, for they do not look
  // at what follows the part of the structure that is copied here.
  static sqlite3_vfs failing = *real;
  failing.zName = "failing";
  failing.pAppData = real;
  failing.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
  failing.xOpen = OpenFile;
  if (sqlite3_vfs_register(&failing, 0) != SQLITE_OK) {
    std::abort();
  }
  return &failing;
}

}  // namespace

FailingDisk::FailingDisk() {
  [[maybe_unused]] static sqlite3_vfs* const registered = Register();
}

FailingDisk::~FailingDisk() {
  FailWrites(SQLITE_OK);
  FailSyncs(SQLITE_OK);
  FailReads(SQLITE_OK);
  RefuseLocks(0);
}

void FailingDisk::FailWrites(int code) { write_code.store(code); }
void FailingDisk::FailSyncs(int code) {
  FailNextSyncs(code == SQLITE_OK ? 0 : -1, code);
}
void FailingDisk::FailNextSyncs(int count, int code) {
  sync_code.store(code);
  sync_failures.store(count);
}
void FailingDisk::FailReads(int code) { read_code.store(code); }
void FailingDisk::RefuseLocks(int count) { refused_locks.store(count); }

}  // namespace kms::store
