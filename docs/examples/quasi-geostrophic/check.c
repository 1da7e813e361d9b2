/* Known answers of the two-layer quasi-geostrophic model. Prints what was found and what was expected; the exit status
 * is the number of checks that failed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "daunce_model.h"

enum { N = 64, CELLS = N * N, STATE = 2 * CELLS };

static const double pi = 3.14159265358979323846;
static const double length = 1.6e6, radius = 8e4, beta = 2.2e-11, shear = 0.4; /* the model's defaults; m and s */
static const double hour = 3600, day = 24;

static int failures = 0;

static void report(const char *what, double found, double expected, bool passed) {
  printf("%-4s %-64s found %-12.6g expected %.6g\n", passed ? "ok" : "FAIL", what, found, expected);
  failures += !passed;
}

static void close_to(const char *what, double found, double expected, double tolerance) {
  report(what, found, expected, fabs(found - expected) <= tolerance * fabs(expected));
}

static void at_most(const char *what, double found, double most) {
  printf("%-4s %-64s found %-12.6g expected at most %.6g\n", found <= most ? "ok" : "FAIL", what, found, most);
  failures += !(found <= most);
}

static void *make(const char *parameters) {
  void *model;
  if (daunce_model_create(parameters, &model) == 0) return model;
  printf("%s\n", daunce_model_error(model));
  exit(1);
}

static void forecast(void *model, double from, double to, uint64_t seed, double *state) {
  if (daunce_model_forecast(model, from, to, seed, state) == 0) return;
  printf("%s\n", daunce_model_error(model));
  exit(1);
}

/* ---- Single waves ---- */

static void set_wave(double *state, double amplitude1, double amplitude2, int kx, int ky) {
  for (int i = 0; i < CELLS; i++) {
    double phase = 2 * pi * (kx * (i % N) + ky * (i / N)) / N;
    state[i] = amplitude1 * cos(phase);
    state[CELLS + i] = amplitude2 * cos(phase);
  }
}

static double complex amplitude(const double *field, int kx, int ky) {
  double complex sum = 0;
  for (int i = 0; i < CELLS; i++) sum += field[i] * cexp(-2 * pi * I * (kx * (i % N) + ky * (i / N)) / N);
  return 2 * sum / CELLS;
}

/* Phillips (1954): the growth rate of wave (kx, 0) of the two-layer model in s-1, from the dispersion relation
 * c = (-beta (K^2 + F) +- sqrt(beta^2 F^2 - S^2 K^4 (4 F^2 - K^4) / 4)) / (K^2 (K^2 + 2 F)). */
static double phillips_growth(int kx) {
  double k = 2 * pi * kx / length, square = k * k, f = 1 / (2 * radius * radius);
  double discriminant = beta * beta * f * f - shear * shear * square * square * (4 * f * f - square * square) / 4;
  return discriminant < 0 ? k * sqrt(-discriminant) / (square * (square + 2 * f)) : 0;
}

static void check_phillips(void) {
  static double state[STATE];
  void *model = make("drag = 0\ndissipation = 0\n");
  int fastest = 1;
  for (int kx = 2; kx < 10; kx++)
    if (phillips_growth(kx) > phillips_growth(fastest)) fastest = kx;
  set_wave(state, 1e-3, 1e-3, fastest, 0);
  forecast(model, 0, 400 * day, 1, state);
  double before = cabs(amplitude(state, fastest, 0));
  forecast(model, 400 * day, 420 * day, 1, state);
  double growth = log(cabs(amplitude(state, fastest, 0)) / before) / (20 * day * hour);
  printf("     Phillips: the fastest wave has %d waves along a side\n", fastest);
  double expected = phillips_growth(fastest);
  close_to("its growth rate, per day", growth * day * hour, expected * day * hour, 0.01);
  daunce_model_destroy(model);
}

/* A single wave is a solution of the full equations, whatever its amplitude. */
static void check_rossby(const char *what, double sign, double stretching) {
  static double state[STATE];
  const int kx = 3, ky = 2;
  void *model = make("shear = 0\ndrag = 0\ndissipation = 0\n");
  set_wave(state, 5e4, sign * 5e4, kx, ky);
  forecast(model, 0, day, 1, state);
  double x = 2 * pi * kx / length, y = 2 * pi * ky / length;
  double speed = -carg(amplitude(state, kx, ky)) / x / (day * hour);
  close_to(what, speed, -beta / (x * x + y * y + stretching), 0.001);
  daunce_model_destroy(model);
}

/* ---- Conservation ---- */

/* Energy and potential enstrophy, means over the domain, by sums over the waves (Parseval). */
static void invariants(const double *state, double *energy, double *enstrophy) {
  static double complex row[2][N][N], wave[2];
  double f = 1 / (2 * radius * radius);
  for (int layer = 0; layer < 2; layer++)
    for (int y = 0; y < N; y++)
      for (int kx = 0; kx < N; kx++) {
        row[layer][y][kx] = 0;
        for (int x = 0; x < N; x++)
          row[layer][y][kx] += state[layer * CELLS + y * N + x] * cexp(-2 * pi * I * (kx * x % N) / N) / CELLS;
      }
  *energy = *enstrophy = 0;
  for (int ky = 0; ky < N; ky++)
    for (int kx = 0; kx < N; kx++) {
      for (int layer = 0; layer < 2; layer++) {
        wave[layer] = 0;
        for (int y = 0; y < N; y++) wave[layer] += row[layer][y][kx] * cexp(-2 * pi * I * (ky * y % N) / N);
      }
      double x = 2 * pi * (kx < N / 2 ? kx : kx - N) / length, y = 2 * pi * (ky < N / 2 ? ky : ky - N) / length;
      double square = x * x + y * y;
      double complex thickness = f * (wave[1] - wave[0]);
      double q1 = cabs(-square * wave[0] + thickness), q2 = cabs(-square * wave[1] - thickness);
      double difference = cabs(wave[0] - wave[1]);
      *energy += 0.5 * (square * (pow(cabs(wave[0]), 2) + pow(cabs(wave[1]), 2)) + f * difference * difference);
      *enstrophy += 0.5 * (q1 * q1 + q2 * q2);
    }
}

/* Relative changes of both invariants in 10 days of a free flow with eddies of half a metre per second. */
static void drift(const char *parameters, double *energy_drift, double *enstrophy_drift) {
  static double state[STATE];
  double energy, enstrophy, energy_then, enstrophy_then;
  void *model = make(parameters);
  daunce_model_initial_state(model, 5, state);
  for (int i = 0; i < STATE; i++) state[i] *= 2;
  invariants(state, &energy, &enstrophy);
  forecast(model, 0, 10 * day, 1, state);
  invariants(state, &energy_then, &enstrophy_then);
  *energy_drift = fabs(energy_then / energy - 1);
  *enstrophy_drift = fabs(enstrophy_then / enstrophy - 1);
  daunce_model_destroy(model);
}

static void check_conservation(void) {
  double energy, enstrophy, energy_half, enstrophy_half;
  drift("shear = 0\ndrag = 0\ndissipation = 0\ntime_step = 2\n", &energy, &enstrophy);
  drift("shear = 0\ndrag = 0\ndissipation = 0\ntime_step = 1\n", &energy_half, &enstrophy_half);
  at_most("relative change of energy in 10 days, steps of 2 hours", energy, 1e-5);
  at_most("relative change of potential enstrophy", enstrophy, 1e-4);
  close_to("order of the energy's change with the time step", log2(energy / energy_half), 5, 0.15);
  close_to("order of the potential enstrophy's change", log2(enstrophy / enstrophy_half), 5, 0.15);
}

/* ---- Climate, repeatability, the coarse model ---- */

static double distance(const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < STATE; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sqrt(sum);
}

static double deviation(const double *field) {
  double sum = 0;
  for (int i = 0; i < CELLS; i++) sum += field[i] * field[i];
  return sqrt(sum / CELLS);
}

static void check_repeatability(const double *climate, const char *parameters, const char *name) {
  static double a[STATE], b[STATE], c[STATE];
  char text[120];
  void *model = make(parameters), *other = make(parameters);
  memcpy(a, climate, sizeof a);
  memcpy(b, climate, sizeof b);
  memcpy(c, climate, sizeof c);
  forecast(model, 0, 2 * day, 7, a);
  forecast(other, 0, 2 * day, 7, b);
  snprintf(text, sizeof text, "%s: same bits from two models (1: yes, 0: no)", name);
  close_to(text, memcmp(a, b, sizeof a) == 0, 1, 0);
  forecast(model, 0, day, 7, c);
  forecast(model, day, 2 * day, 7, c);
  snprintf(text, sizeof text, "%s: two calls against one, relative difference", name);
  at_most(text, distance(a, c) / distance(a, climate), 1e-12);
  forecast(other, 0, 2 * day, 8, memcpy(b, climate, sizeof b));
  snprintf(text, sizeof text, "%s: another seed gives other bits (1: yes, 0: no)", name);
  close_to(text, memcmp(a, b, sizeof a) != 0, strstr(parameters, "noise") != NULL, 0);
  daunce_model_destroy(model);
  daunce_model_destroy(other);
}

/* Standard deviation that a day of noise gives a state of rest. */
static void check_noise(void) {
  static double state[STATE];
  double sum = 0;
  void *model = make("noise = 1000\nshear = 0\ndrag = 0\nbeta = 0\ndissipation = 0\n");
  for (int seed = 0; seed < 20; seed++) {
    memset(state, 0, sizeof state);
    forecast(model, 0, day, seed, state);
    sum += pow(deviation(state), 2);
  }
  close_to("noise of 1000 m2 s-1 in a day, 20 seeds", sqrt(sum / 20), 1000, 0.05);
  daunce_model_destroy(model);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

static void check_coarse(void *model, const double *climate) {
  static double full[STATE], coarse[STATE], state[STATE], rest[STATE];
  memcpy(full, climate, sizeof full);
  memcpy(coarse, climate, sizeof coarse);
  forecast(model, 0, day, 1, full);
  daunce_model_coarse_forecast(model, 0, day, coarse);
  double difference = distance(full, coarse);
  at_most("coarse against full after a day, relative to the state", difference / distance(full, rest), 0.05);
  at_most("coarse against full after a day, relative to the change", difference / distance(full, climate), 0.5);
  double complex before = amplitude(climate, 15, 3), after = amplitude(coarse, 15, 3);
  at_most("coarse: relative change of a wave that it has not", cabs(after - before) / cabs(before), 1e-6);

  double start = seconds();
  forecast(model, 0, 100 * day, 1, memcpy(state, climate, sizeof state));
  double full_time = (seconds() - start) / 100;
  start = seconds();
  for (int i = 0; i < 100; i++) daunce_model_coarse_forecast(model, 0, day, memcpy(state, climate, sizeof state));
  double coarse_time = (seconds() - start) / 100;
  printf("     a day takes %.2f ms, of the coarse model %.2f ms\n", 1e3 * full_time, 1e3 * coarse_time);
  at_most("a coarse day's time over a full day's", coarse_time / full_time, 0.2);
}

static void check_climate(void *model, const double *climate) {
  static double state[STATE];
  double sum1 = 0, sum2 = 0;
  memcpy(state, climate, sizeof state);
  for (int i = 0; i < 100; i++) {
    forecast(model, 0, 10 * day, 1, state);
    sum1 += pow(deviation(state), 2) / 100;
    sum2 += pow(deviation(state + CELLS), 2) / 100;
  }
  close_to("standard deviation of psi1 in 1000 days, m2 s-1", sqrt(sum1), 88000, 0.2);
  close_to("standard deviation of psi2", sqrt(sum2), 32000, 0.3);
}

/* ---- Parameters ---- */

static void check_refused(const char *parameters, const char *name) {
  void *model;
  bool refused = daunce_model_create(parameters, &model) != 0;
  const char *error = refused ? daunce_model_error(model) : "accepted";
  bool named = refused && strstr(error, name);
  printf("%-4s %s\n", named ? "ok" : "FAIL", error);
  failures += !named;
  daunce_model_destroy(model);
}

int main(void) {
  static double climate[STATE];
  check_phillips();
  check_rossby("phase speed of a barotropic Rossby wave, m s-1", 1, 0);
  check_rossby("phase speed of a baroclinic Rossby wave, m s-1", -1, 1 / (radius * radius));
  check_conservation();

  void *model = make("");
  daunce_model_initial_state(model, 1, climate);
  forecast(model, 0, 250 * day, 1, climate);
  check_repeatability(climate, "", "no noise");
  check_repeatability(climate, "noise = 1000\n", "noise");
  check_noise();
  check_coarse(model, climate);
  check_climate(model, climate);
  daunce_model_destroy(model);

  check_refused("n = 65\n", "n is 65");
  check_refused("time_step = 5\n", "time_step is 5");
  check_refused("drag = -1\n", "drag is -1");
  check_refused("radius = nan\n", "radius is nan");
  printf("%d failed\n", failures);
  return failures;
}
