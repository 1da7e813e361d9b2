// Lorenz (1996) as a program: it reads a state, carries it and writes it, and stays alive where it is asked to.
//   lorenz96 start OUTPUT SEED
//   lorenz96 forecast INPUT OUTPUT FROM TO
//   lorenz96 worker          reads such requests from its standard input and answers each with "ok"
// Files are NetCDF (x.nc), or doubles one after the other. SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 40 };
static const double FORCING = 8, STEP = 0.05;

static int fail(const char *what, const char *file) {
  fprintf(stderr, "lorenz96: cannot %s %s\n", what, file);
  return 1;
}

static int is_netcdf(const char *file) { return strlen(file) > 3 && !strcmp(file + strlen(file) - 3, ".nc"); }

static int read_state(const char *file, double *x) {
  int id, variable, status = 1;
  if (!is_netcdf(file)) {
    FILE *input = fopen(file, "rb");
    size_t count = input ? fread(x, sizeof *x, N, input) : 0;
    if (input) fclose(input);
    return count == N ? 0 : fail("read", file);
  }
  if (nc_open(file, NC_NOWRITE, &id)) return fail("open", file);
  status = nc_inq_varid(id, "X", &variable) || nc_get_var_double(id, variable, x);
  return nc_close(id) || status ? fail("read X of", file) : 0;
}

static int write_state(const char *file, const double *x) {
  int id, dimension, variable, status;
  if (!is_netcdf(file)) {
    FILE *output = fopen(file, "wb");
    size_t count = output ? fwrite(x, sizeof *x, N, output) : 0;
    return output && !fclose(output) && count == N ? 0 : fail("write", file);
  }
  if (nc_create(file, NC_CLOBBER | NC_64BIT_OFFSET, &id)) return fail("create", file);
  status = nc_def_dim(id, "x", N, &dimension) || nc_def_var(id, "X", NC_DOUBLE, 1, &dimension, &variable) ||
           nc_enddef(id) || nc_put_var_double(id, variable, x);
  return nc_close(id) || status ? fail("write X to", file) : 0;
}

static void slope(const double *x, double *dx) {
  for (int i = 0; i < N; i++)
    dx[i] = (x[(i + 1) % N] - x[(i + N - 2) % N]) * x[(i + N - 1) % N] - x[i] + FORCING;
}

static void step(double *x) {
  double k[N], y[N], sum[N];
  slope(x, k);
  for (int i = 0; i < N; i++) sum[i] = k[i], y[i] = x[i] + STEP / 2 * k[i];
  slope(y, k);
  for (int i = 0; i < N; i++) sum[i] += 2 * k[i], y[i] = x[i] + STEP / 2 * k[i];
  slope(y, k);
  for (int i = 0; i < N; i++) sum[i] += 2 * k[i], y[i] = x[i] + STEP * k[i];
  slope(y, k);
  for (int i = 0; i < N; i++) x[i] += STEP / 6 * (sum[i] + k[i]);
}

static int answer(int count, char **words) {
  double x[N];
  if (count == 3 && !strcmp(words[0], "start")) {
    double seed = (double)(strtoull(words[2], NULL, 10) % 1000003);
    for (int i = 0; i < N; i++) x[i] = FORCING + 0.01 * sin(seed * (i + 1));
    return write_state(words[1], x);
  }
  if (count == 5 && !strcmp(words[0], "forecast")) {
    if (read_state(words[1], x)) return 1;
    long steps = lround((atof(words[4]) - atof(words[3])) / STEP);
    for (long k = 0; k < steps; k++) step(x);
    return write_state(words[2], x);
  }
  fprintf(stderr, "lorenz96: start OUTPUT SEED, forecast INPUT OUTPUT FROM TO, or worker\n");
  return 64;
}

int main(int count, char **words) {
  if (count != 2 || strcmp(words[1], "worker")) return answer(count - 1, words + 1);
  char line[8192];
  while (fgets(line, sizeof line, stdin)) {
    char *parts[6];
    int k = 0;
    for (char *word = strtok(line, " \n"); word && k < 6; word = strtok(NULL, " \n")) parts[k++] = word;
    puts(answer(k, parts) ? "error see standard error" : "ok");
    fflush(stdout);
  }
  return 0;
}
