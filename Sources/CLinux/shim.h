#pragma once

// What glibc declares only with _GNU_SOURCE, which cannot be set for a Swift module of a package. No header is included:
// what it declares would belong to this module in Swift, and not to Glibc.

/// Has a program that is started work in the folder `path`.
int daunce_spawn_in_folder(void *actions, const char *path) __asm__("posix_spawn_file_actions_addchdir_np");

/// Has a program that is started find no descriptor open from number `from` on.
int daunce_spawn_close_from(void *actions, int from) __asm__("posix_spawn_file_actions_addclosefrom_np");

/// POSIX_SPAWN_SETSID: the process leads a session of its own.
static inline short daunce_spawn_session(void) { return 0x80; }

/// A pipe, with flags such as O_CLOEXEC for both ends.
int daunce_pipe(int ends[2], int flags) __asm__("pipe2");

long daunce_system_call(long number, ...) __asm__("syscall");

/// A descriptor that can be read from when the process has ended, closed in programs that are started; -1 with errno where
/// the kernel has none. glibc has a function for it since 2.36; the number is the same on all processors of 64 bits.
static inline int daunce_process_descriptor(int process) {
  return (int)daunce_system_call(434, (long)process, 0L);
}

/// struct rlimit.
struct daunce_limits {
  unsigned long soft, hard;
};

int daunce_change_limits(int process, int resource, const struct daunce_limits *limits, struct daunce_limits *before)
    __asm__("prlimit");

/// Limits the addresses of a running process (RLIMIT_AS) to `bytes`, where no smaller limit holds already.
static inline int daunce_limit_memory(int process, unsigned long bytes) {
  const int addresses = 9;
  struct daunce_limits limits;
  if (daunce_change_limits(process, addresses, (void *)0, &limits) != 0) return -1;
  if (bytes < limits.soft) limits.soft = bytes;
  if (bytes < limits.hard) limits.hard = bytes;
  return daunce_change_limits(process, addresses, &limits, (void *)0);
}

int daunce_get_affinity(int process, unsigned long size, void *mask) __asm__("sched_getaffinity");
int daunce_set_affinity(int process, unsigned long size, const void *mask) __asm__("sched_setaffinity");

/// Lets a running process have all cores that another one may have.
static inline int daunce_share_cores(int process, int other) {
  unsigned long mask[128];
  if (daunce_get_affinity(other, sizeof mask, mask) != 0) return -1;
  return daunce_set_affinity(process, sizeof mask, mask);
}
