// A heated plate with the Basic Model Interface 2.0: dT/dt = kappa laplacian(T) + a source that goes round, T = 0 at the edge.
// Its diffusivity kappa is a variable too, so that it can be estimated. The file that it is initialised with has two
// numbers, columns and rows.
// SPDX-License-Identifier: Apache-2.0
#include "bmi.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"plate_surface__temperature", "plate_material__diffusivity"};

typedef struct {
  int columns, rows;
  double time, step, diffusivity, *temperature, *next;
} Plate;

static Plate *plate(Bmi *self) { return self->data; }

static int initialize(Bmi *self, const char *file) {
  Plate *p = self->data = calloc(1, sizeof *p);
  FILE *stream = file && *file ? fopen(file, "r") : NULL;
  if (!p || !stream || fscanf(stream, "%d %d", &p->columns, &p->rows) != 2 || p->columns < 3 || p->rows < 3) return 1;
  fclose(stream);
  p->step = 0.1, p->diffusivity = 1;
  p->temperature = calloc((size_t)p->columns * (size_t)p->rows, sizeof(double));
  p->next = calloc((size_t)p->columns * (size_t)p->rows, sizeof(double));
  return !p->temperature || !p->next;
}

static int finalize(Bmi *self) {
  free(plate(self)->temperature), free(plate(self)->next), free(self->data);
  return 0;
}

static int update(Bmi *self) {
  Plate *p = self->data;
  int n = p->columns;
  double x = n * (0.5 + 0.3 * cos(0.5 * p->time)), y = p->rows * (0.5 + 0.3 * sin(0.5 * p->time));
  double k = fmin(fmax(p->diffusivity, 0), 2);
  for (int j = 1; j < p->rows - 1; j++)
    for (int i = 1; i < n - 1; i++) {
      const double *t = p->temperature + j * n + i;
      double heat = 10 * exp(-((i - x) * (i - x) + (j - y) * (j - y)) / 4);
      p->next[j * n + i] = *t + p->step * (k * (t[1] + t[-1] + t[n] + t[-n] - 4 * *t) + heat);
    }
  double *last = p->temperature;
  p->temperature = p->next, p->next = last;
  p->time += p->step;
  return 0;
}

static int update_until(Bmi *self, double time) {
  while (plate(self)->time < time - 1e-9) update(self);
  return 0;
}

static int number_of(const char *name) { return strcmp(name, names[0]) == 0 ? 0 : strcmp(name, names[1]) == 0 ? 1 : -1; }
static double *values_of(Bmi *self, int v) { return v == 0 ? plate(self)->temperature : &plate(self)->diffusivity; }
static int size_of(Bmi *self, int v) { return v == 0 ? plate(self)->columns * plate(self)->rows : 1; }

static int component_name(Bmi *self, char *text) { return (void)self, strcpy(text, "Heated plate"), 0; }
static int item_count(Bmi *self, int *count) { return (void)self, *count = 2, 0; }
static int item_names(Bmi *self, char **text) { return (void)self, strcpy(text[0], names[0]), strcpy(text[1], names[1]), 0; }
static int var_grid(Bmi *self, const char *name, int *grid) { return (void)self, *grid = number_of(name), *grid < 0; }
static int var_type(Bmi *self, const char *name, char *text) { return (void)self, strcpy(text, "double"), number_of(name) < 0; }
static int var_units(Bmi *self, const char *name, char *text) {
  return (void)self, strcpy(text, number_of(name) == 0 ? "K" : "m2 s-1"), number_of(name) < 0;
}
static int var_itemsize(Bmi *self, const char *name, int *size) { return (void)self, *size = 8, number_of(name) < 0; }
static int var_nbytes(Bmi *self, const char *name, int *size) { return *size = 8 * size_of(self, number_of(name)), number_of(name) < 0; }
static int time_now(Bmi *self, double *time) { return *time = plate(self)->time, 0; }
static int time_start(Bmi *self, double *time) { return (void)self, *time = 0, 0; }
static int time_end(Bmi *self, double *time) { return (void)self, *time = 1e9, 0; }
static int time_units(Bmi *self, char *text) { return (void)self, strcpy(text, "s"), 0; }
static int time_step(Bmi *self, double *step) { return *step = plate(self)->step, 0; }
static int get_value(Bmi *self, const char *name, void *values) {
  int v = number_of(name);
  if (v >= 0) memcpy(values, values_of(self, v), 8 * (size_t)size_of(self, v));
  return v < 0;
}
static int set_value(Bmi *self, const char *name, void *values) {
  int v = number_of(name);
  if (v >= 0) memcpy(values_of(self, v), values, 8 * (size_t)size_of(self, v));
  return v < 0;
}
static int grid_rank(Bmi *self, int grid, int *rank) { return (void)self, *rank = grid == 0 ? 2 : 0, 0; }
static int grid_size(Bmi *self, int grid, int *size) { return *size = size_of(self, grid), 0; }
static int grid_type(Bmi *self, int grid, char *text) { return (void)self, strcpy(text, grid == 0 ? "uniform_rectilinear" : "scalar"), 0; }
static int grid_shape(Bmi *self, int grid, int *shape) { return (void)grid, shape[0] = plate(self)->rows, shape[1] = plate(self)->columns, 0; }
static int grid_spacing(Bmi *self, int grid, double *spacing) { return (void)self, (void)grid, spacing[0] = spacing[1] = 1, 0; }
static int grid_origin(Bmi *self, int grid, double *origin) { return (void)self, (void)grid, origin[0] = origin[1] = 0, 0; }

Bmi *register_heat(Bmi *model) {
  *model = (Bmi){
      .initialize = initialize, .update = update, .update_until = update_until, .finalize = finalize,
      .get_component_name = component_name, .get_input_item_count = item_count, .get_output_item_count = item_count,
      .get_input_var_names = item_names, .get_output_var_names = item_names, .get_var_grid = var_grid,
      .get_var_type = var_type, .get_var_units = var_units, .get_var_itemsize = var_itemsize, .get_var_nbytes = var_nbytes,
      .get_current_time = time_now, .get_start_time = time_start, .get_end_time = time_end, .get_time_units = time_units,
      .get_time_step = time_step, .get_value = get_value, .set_value = set_value, .get_grid_rank = grid_rank,
      .get_grid_size = grid_size, .get_grid_type = grid_type, .get_grid_shape = grid_shape,
      .get_grid_spacing = grid_spacing, .get_grid_origin = grid_origin};
  return model;
}
