// Lorenz (1996) by the Adams-Bashforth scheme of second order, which needs the slope of the step before: a model that keeps
// something besides its state, so that every member has a model of its own.
// SPDX-License-Identifier: Apache-2.0
#include "daunce_model.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr double dt = 0.005;
std::string creation_error;  // of a model that could not be made

struct Model {
  explicit Model(double cells, double forcing) : forcing(forcing) {
    if (!(cells >= 4 && cells <= 1e7)) throw std::invalid_argument("cells: expected a number from 4 to 1e7");
    slope.resize(static_cast<size_t>(cells));
    before.resize(slope.size());
    auto n = std::to_string(slope.size());
    description = "name: lorenz96-cpp\ntime_step: 0.005\nspinup: 20\n"
                  "axes: [{name: x, period: " + n + "}]\ndimensions: [{name: x, length: " + n + "}]\n"
                  "fields: [{name: X, scale: 3.64}]\n"
                  "observed: [{name: mean, long_name: mean of a cell and its neighbours, scale: 1}]\n"
                  "observing: {sd: 1, interval: 10}\n"
                  "parameters: {cells: " + n + ", forcing: " + std::to_string(forcing) + "}\n";
  }

  void step(double *x) {
    auto n = slope.size();
    for (size_t i = 0; i < n; i++)
      slope[i] = (x[(i + 1) % n] - x[(i + n - 2) % n]) * x[(i + n - 1) % n] - x[i] + forcing;
    for (size_t i = 0; i < n; i++) x[i] += dt * (started ? 1.5 * slope[i] - 0.5 * before[i] : slope[i]);
    before.swap(slope);
    started = 1;
  }

  double forcing, started = 0;
  std::vector<double> slope, before;
  std::string description;
};

Model &self(void *model) { return *static_cast<Model *>(model); }

}  // namespace

int32_t daunce_model_version() { return DAUNCE_MODEL_VERSION; }

int32_t daunce_model_create(const char *parameters, void **model) try {
  *model = nullptr;
  *model = new Model(daunce_parameter(parameters, "cells", 40), daunce_parameter(parameters, "forcing", 8));
  return 0;
} catch (const std::exception &error) {
  creation_error = error.what();
  return 1;
}

void daunce_model_destroy(void *model) { delete &self(model); }

const char *daunce_model_description(void *model) { return self(model).description.c_str(); }

const char *daunce_model_error(void *) { return creation_error.c_str(); }

int32_t daunce_model_initial_state(void *model, uint64_t seed, double *state) {
  for (size_t i = 0; i < self(model).slope.size(); i++) state[i] = 8 + std::sin(double(seed % 9973) * double(i + 1));
  return 0;
}

int32_t daunce_model_forecast(void *model, double from, double to, uint64_t, double *state) {
  for (long steps = std::lround((to - from) / dt); steps > 0; steps--) self(model).step(state);
  return 0;
}

int32_t daunce_model_observe(void *model, double, const double *state, double *values) {
  auto n = self(model).slope.size();
  for (size_t i = 0; i < n; i++) values[i] = (state[(i + n - 1) % n] + state[i] + state[(i + 1) % n]) / 3;
  return 0;
}

int64_t daunce_model_memory_size(void *model) { return int64_t(sizeof(double) * (self(model).before.size() + 1)); }

int32_t daunce_model_save(void *model, void *memory) {
  auto numbers = static_cast<double *>(memory);
  numbers[0] = self(model).started;
  std::copy(self(model).before.begin(), self(model).before.end(), numbers + 1);
  return 0;
}

int32_t daunce_model_restore(void *model, const void *memory) {
  auto numbers = static_cast<const double *>(memory);
  self(model).started = numbers[0];
  std::copy(numbers + 1, numbers + 1 + self(model).before.size(), self(model).before.begin());
  return 0;
}
