// A signal of a crash, or `exit`, inside of a guarded call leads back to its beginning.
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "guarded.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { crash_count = sizeof crashes / sizeof *crashes };

static struct sigaction before[crash_count];

_Thread_local struct daunce_guard daunce_guard;

static void leave(enum daunce_ending ending, int code) {
  daunce_guard.is_inside = 0;
  daunce_guard.outcome = (struct daunce_outcome){ending, code};
  siglongjmp(daunce_guard.way_back, 1);
}

static void on_signal(int number, siginfo_t *information, void *context) {
  (void)information;
  (void)context;
  if (daunce_guard.is_inside) leave(DAUNCE_SIGNALLED, number);
  // Nobody's guarded call: the signal comes again, to whom it belonged.
  for (int k = 0; k < crash_count; k++)
    if (crashes[k] == number) sigaction(number, &before[k], NULL);
  if (information == NULL || information->si_code <= 0) raise(number);
}

// Stands before the C library's for everything in this process that calls `exit`, Fortran's STOP included. Handlers of
// `exit` would come too late: those of other libraries, which close their files, are called before.
_Noreturn void exit(int code) {
  if (daunce_guard.is_inside) leave(DAUNCE_EXITED, code);
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

struct daunce_outcome daunce_guard_open(const char *path, void **library, const char **reason) {
  GUARDED({
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *reason = *library ? NULL : dlerror();
  });
}
