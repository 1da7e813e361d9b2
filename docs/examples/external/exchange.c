// A worker that does next to nothing: what a forecast takes with it is what handing states over takes.
//   exchange COUNT REPORT        states of so many numbers; at its end it adds to the file REPORT how long its own part took
// SPDX-License-Identifier: Apache-2.0
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double *x;
static size_t count;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int is_netcdf(const char *file) { return strlen(file) > 3 && !strcmp(file + strlen(file) - 3, ".nc"); }

static int read_state(const char *name) {
  int id, variable;
  if (is_netcdf(name))
    return nc_open(name, NC_NOWRITE, &id) || nc_inq_varid(id, "x", &variable) || nc_get_var_double(id, variable, x) || nc_close(id);
  FILE *file = fopen(name, "rb");
  return !file || fread(x, sizeof *x, count, file) != count || fclose(file);
}

static int write_state(const char *name) {
  int id, variable, dimension;
  if (is_netcdf(name))
    return nc_create(name, NC_CLOBBER | NC_64BIT_OFFSET, &id) || nc_def_dim(id, "cell", count, &dimension) ||
           nc_def_var(id, "x", NC_DOUBLE, 1, &dimension, &variable) || nc_enddef(id) || nc_put_var_double(id, variable, x) ||
           nc_close(id);
  FILE *file = fopen(name, "wb");
  return !file || fwrite(x, sizeof *x, count, file) != count || fclose(file);
}

int main(int words, char **word) {
  if (words != 3 || (count = strtoul(word[1], NULL, 10)) == 0) return 64;
  x = calloc(count, sizeof *x);
  char line[8192];
  double seconds = 0;
  long requests = 0;
  while (x && fgets(line, sizeof line, stdin)) {
    double begin = now();
    const char *kind = strtok(line, " \n"), *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");
    int is_start = kind && !strcmp(kind, "start");
    int status = !is_start && read_state(first);
    for (size_t i = 0; i < count; i++) x[i] = is_start ? (double)(i % 7) - 3 : 0.999 * x[i];
    status = status || write_state(is_start ? first : second);
    seconds += now() - begin;
    requests++;
    puts(status ? "error files" : "ok");
    fflush(stdout);
  }
  FILE *report = requests > 20 ? fopen(word[2], "a") : NULL;
  if (report) fprintf(report, "%.3f ms of that are the program's own\n", 1e3 * seconds / (double)requests);
  return report ? fclose(report) : 0;
}
