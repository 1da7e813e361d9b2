// Guarded calls: a signal of a crash, or `exit`, inside of one leads back to its beginning.
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "guard.h"

#include <dlfcn.h>
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { crash_count = sizeof crashes / sizeof *crashes };

static struct sigaction before[crash_count];

// Of the thread that is inside of a library: where to go back to, and why.
static _Thread_local sigjmp_buf way_back;
static _Thread_local volatile sig_atomic_t is_inside;
static _Thread_local struct daunce_outcome outcome;

static void leave(enum daunce_ending ending, int code) {
  is_inside = 0;
  outcome = (struct daunce_outcome){ending, code};
  siglongjmp(way_back, 1);
}

static void on_signal(int number, siginfo_t *information, void *context) {
  (void)information;
  (void)context;
  if (is_inside) leave(DAUNCE_SIGNALLED, number);
  // Nobody's guarded call: the signal comes again, to whom it belonged.
  for (int k = 0; k < crash_count; k++)
    if (crashes[k] == number) sigaction(number, &before[k], NULL);
  if (information == NULL || information->si_code <= 0) raise(number);
}

// Stands before the C library's for everything in this process that calls `exit`, Fortran's STOP included. Handlers of
// `exit` would come too late: those of other libraries, which close their files, are called before.
_Noreturn void exit(int code) {
  if (is_inside) leave(DAUNCE_EXITED, code);
  void (*end)(int) = (void (*)(int))dlsym(RTLD_NEXT, "exit");
  end(code);
  __builtin_unreachable();
}

void daunce_guard_install(void) {
  static int is_installed;
  if (is_installed) return;
  is_installed = 1;
  // A stack that has run over has no room for a handler.
  static char memory[1 << 16];
  stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigemptyset(&action.sa_mask);
  for (int k = 0; k < crash_count; k++) sigaction(crashes[k], &action, &before[k]);
}

// Whatever a library does to rounding, traps and denormal numbers ends with its call: others' bits do not depend on it.
#define GUARDED(call)                                      \
  do {                                                     \
    fenv_t arithmetic;                                     \
    fegetenv(&arithmetic);                                 \
    outcome = (struct daunce_outcome){DAUNCE_RETURNED, 0}; \
    if (sigsetjmp(way_back, 0) == 0) {                     \
      is_inside = 1;                                       \
      call;                                                \
      is_inside = 0;                                       \
    }                                                      \
    fesetenv(&arithmetic);                                 \
    return outcome;                                        \
  } while (0)

struct daunce_outcome daunce_guard_open(const char *path, void **library, const char **reason) {
  GUARDED({
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *reason = *library ? NULL : dlerror();
  });
}

struct daunce_outcome daunce_guard_version(void *address) {
  int32_t (*function)(void) = (int32_t(*)(void))address;
  GUARDED(outcome.code = function());
}

struct daunce_outcome daunce_guard_create(void *address, const char *parameters, void **model) {
  int32_t (*function)(const char *, void **) = (int32_t(*)(const char *, void **))address;
  GUARDED(outcome.code = function(parameters, model));
}

struct daunce_outcome daunce_guard_destroy(void *address, void *model) {
  void (*function)(void *) = (void (*)(void *))address;
  GUARDED(function(model));
}

struct daunce_outcome daunce_guard_text(void *address, void *model, const char **text) {
  const char *(*function)(void *) = (const char *(*)(void *))address;
  GUARDED(*text = function(model));
}

struct daunce_outcome daunce_guard_initial_state(void *address, void *model, uint64_t seed, double *state) {
  int32_t (*function)(void *, uint64_t, double *) = (int32_t(*)(void *, uint64_t, double *))address;
  GUARDED(outcome.code = function(model, seed, state));
}

struct daunce_outcome daunce_guard_forecast(
    void *address, void *model, double from, double to, uint64_t seed, double *state) {
  int32_t (*function)(void *, double, double, uint64_t, double *) =
      (int32_t(*)(void *, double, double, uint64_t, double *))address;
  GUARDED(outcome.code = function(model, from, to, seed, state));
}

struct daunce_outcome daunce_guard_coarse_forecast(void *address, void *model, double from, double to, double *state) {
  int32_t (*function)(void *, double, double, double *) = (int32_t(*)(void *, double, double, double *))address;
  GUARDED(outcome.code = function(model, from, to, state));
}

struct daunce_outcome daunce_guard_observe(
    void *address, void *model, double time, const double *state, double *values) {
  int32_t (*function)(void *, double, const double *, double *) =
      (int32_t(*)(void *, double, const double *, double *))address;
  GUARDED(outcome.code = function(model, time, state, values));
}

struct daunce_outcome daunce_guard_array(
    void *address, void *model, const char *name, int64_t count, double *values) {
  int32_t (*function)(void *, const char *, int64_t, double *) =
      (int32_t(*)(void *, const char *, int64_t, double *))address;
  GUARDED(outcome.code = function(model, name, count, values));
}

struct daunce_outcome daunce_guard_memory_size(void *address, void *model, int64_t *size) {
  int64_t (*function)(void *) = (int64_t(*)(void *))address;
  GUARDED(*size = function(model));
}

struct daunce_outcome daunce_guard_save(void *address, void *model, void *memory) {
  int32_t (*function)(void *, void *) = (int32_t(*)(void *, void *))address;
  GUARDED(outcome.code = function(model, memory));
}

struct daunce_outcome daunce_guard_restore(void *address, void *model, const void *memory) {
  int32_t (*function)(void *, const void *) = (int32_t(*)(void *, const void *))address;
  GUARDED(outcome.code = function(model, memory));
}
