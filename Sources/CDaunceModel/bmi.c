// Guarded calls of the functions of the Basic Model Interface.
// SPDX-License-Identifier: Apache-2.0
#include "bmi.h"

#include "guarded.h"

struct daunce_outcome daunce_guard_bmi_register(void *address, Bmi *self) {
  Bmi *(*function)(Bmi *) = (Bmi * (*)(Bmi *)) address;
  GUARDED(function(self));
}

struct daunce_outcome daunce_guard_bmi_action(daunce_bmi_action *function, Bmi *self) {
  GUARDED(daunce_guard.outcome.code = function(self));
}

struct daunce_outcome daunce_guard_bmi_start(daunce_bmi_start *function, Bmi *self, const char *file) {
  GUARDED(daunce_guard.outcome.code = function(self, file));
}

struct daunce_outcome daunce_guard_bmi_text(daunce_bmi_text *function, Bmi *self, char *text) {
  GUARDED(daunce_guard.outcome.code = function(self, text));
}

struct daunce_outcome daunce_guard_bmi_time(daunce_bmi_time *function, Bmi *self, double *time) {
  GUARDED(daunce_guard.outcome.code = function(self, time));
}

struct daunce_outcome daunce_guard_bmi_variable_number(
    daunce_bmi_variable_number *function, Bmi *self, const char *variable, int *number) {
  GUARDED(daunce_guard.outcome.code = function(self, variable, number));
}

struct daunce_outcome daunce_guard_bmi_variable_text(
    daunce_bmi_variable_text *function, Bmi *self, const char *variable, char *text) {
  GUARDED(daunce_guard.outcome.code = function(self, variable, text));
}

struct daunce_outcome daunce_guard_bmi_values(
    daunce_bmi_values *function, Bmi *self, const char *variable, void *values) {
  GUARDED(daunce_guard.outcome.code = function(self, variable, values));
}

struct daunce_outcome daunce_guard_bmi_grid_numbers(
    daunce_bmi_grid_numbers *function, Bmi *self, int grid, int *numbers) {
  GUARDED(daunce_guard.outcome.code = function(self, grid, numbers));
}

struct daunce_outcome daunce_guard_bmi_grid_text(daunce_bmi_grid_text *function, Bmi *self, int grid, char *text) {
  GUARDED(daunce_guard.outcome.code = function(self, grid, text));
}

struct daunce_outcome daunce_guard_bmi_grid_coordinates(
    daunce_bmi_grid_coordinates *function, Bmi *self, int grid, double *coordinates) {
  GUARDED(daunce_guard.outcome.code = function(self, grid, coordinates));
}
