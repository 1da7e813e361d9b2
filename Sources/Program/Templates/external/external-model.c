// NAME: a model that is a program. A state is in a file of doubles, in the order of model.yaml.
//   model start OUTPUT SEED                  an initial state; the same seed gives the same one
//   model forecast INPUT OUTPUT FROM TO      carries a state from time FROM to time TO
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 40 };
static const double STEP = 0.05, FORCING = 8;

// Lorenz (1996); here goes yours.
static void tendency(const double *u, double *du) {
  for (int i = 0; i < CELLS; i++)
    du[i] = (u[(i + 1) % CELLS] - u[(i + CELLS - 2) % CELLS]) * u[(i + CELLS - 1) % CELLS] - u[i] + FORCING;
}

static void take_step(double *u) {
  double k[CELLS], v[CELLS], sum[CELLS] = {0};
  static const double reach[4] = {0.5, 0.5, 1, 0}, weight[4] = {1, 2, 2, 1};
  memcpy(v, u, sizeof v);
  for (int stage = 0; stage < 4; stage++) {
    tendency(v, k);
    for (int i = 0; i < CELLS; i++) {
      sum[i] += weight[stage] * k[i];
      v[i] = u[i] + reach[stage] * STEP * k[i];
    }
  }
  for (int i = 0; i < CELLS; i++) u[i] += STEP / 6 * sum[i];
}

static int transfer(const char *name, const char *mode, double *u) {
  FILE *file = fopen(name, mode);
  size_t count = !file ? 0 : *mode == 'r' ? fread(u, sizeof *u, CELLS, file) : fwrite(u, sizeof *u, CELLS, file);
  if (file && fclose(file)) count = 0;
  if (count == CELLS) return 0;
  // What is written here is shown with the error.
  fprintf(stderr, "%s: cannot be %s\n", name, *mode == 'r' ? "read" : "written");
  return 1;
}

int main(int count, char **words) {
  double u[CELLS];
  if (count == 4 && !strcmp(words[1], "start")) {
    double seed = (double)(strtoull(words[3], NULL, 10) % 1000003);
    for (int i = 0; i < CELLS; i++) u[i] = FORCING + 0.01 * sin(seed * (i + 1));
    return transfer(words[2], "wb", u);
  }
  if (count == 6 && !strcmp(words[1], "forecast")) {
    if (transfer(words[2], "rb", u)) return 1;
    long steps = lround((atof(words[5]) - atof(words[4])) / STEP);
    for (long step = 0; step < steps; step++) take_step(u);
    return transfer(words[3], "wb", u);
  }
  fprintf(stderr, "model start OUTPUT SEED, or model forecast INPUT OUTPUT FROM TO\n");
  return 64;
}
