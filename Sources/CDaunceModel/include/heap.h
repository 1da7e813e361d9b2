/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAUNCE_HEAP_H
#define DAUNCE_HEAP_H

#include <malloc.h>
#include <stdint.h>

/* Bytes of this process's heap that are in use. */
static inline int64_t daunce_heap_in_use(void) {
  struct mallinfo2 information = mallinfo2();
  return (int64_t)(information.uordblks + information.hblkhd);
}

#endif
