#pragma once
#include <stdint.h>

// Words in memory that several processes share: atomic access to them, and sleeping until one changes, which Linux has
// for processes and the C library has not.

static inline uint32_t daunce_word_add(uint32_t *word) { return __atomic_add_fetch(word, 1, __ATOMIC_ACQ_REL); }
static inline uint32_t daunce_word_load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void daunce_word_store(uint32_t *word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

#if defined(__x86_64__) || defined(__i386__)
static inline void daunce_pause(void) { __builtin_ia32_pause(); }
#else
static inline void daunce_pause(void) {}
#endif

#ifdef __linux__
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int daunce_can_sleep(void) { return 1; }
// Sleeps while the word is `value`; may return earlier.
static inline void daunce_word_sleep(uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}
static inline void daunce_word_wake(uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }
#else
static inline int daunce_can_sleep(void) { return 0; }
static inline void daunce_word_sleep(uint32_t *word, uint32_t value) {}
static inline void daunce_word_wake(uint32_t *word) {}
#endif
