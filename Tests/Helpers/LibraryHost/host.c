// A program with an ensemble of its own that tests start: it calls libdaunce rightly and wrongly, and prints a line for each.
//
//   host settings NAME ..., host analysis NAME ..., host order
//                      mistakes: code, whether it is the same on all ranks, whether states are untouched, the text
//   host sources       observations of a file, of cells and of places: the same analyses
//   host two           two sessions at once, on other ranks' order, against each alone
//   host save          a session that goes on from another one's bytes
//   host modes         floating-point modes, MPI's settings and what is left of MPI after the end
//   host run ...       any model in a shared library as the program's own
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fenv.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daunce.h"

enum { cells = 12, size = cells + 1, members = 6 };

static const char description[] =
    "{name: ring, time_step: 0.5, axes: [{name: x, period: 12}], dimensions: [{name: x, length: 12, array: where}, "
    "{name: one, length: 1}], grids: [{name: ring, dimensions: [x]}, {name: point, dimensions: [one]}], "
    "fields: [{name: u, scale: 1, grid: ring, standard_name: eastward_wind}], observed: [{name: total, scale: 3, grid: point}]}";
static const char configuration[] =
    "{members: 6, observations: {networks: [{field: u, every: 3, sd: 0.1, interval: 2}]}, "
    "filter: {half_width: 2, adaptive: 0.5, update: all}}";

static int rank, ranks, held;

/// What a session is told; a test changes what it likes.
typedef struct {
  MPI_Comm comm;
  const char *description, *file, *text, *key, *value, *method, *agents, *observations;
  int held, has_array;
  double time;
} Told;

static Told usual(void) {
  Told told = {MPI_COMM_WORLD, description, NULL, configuration, NULL, NULL, "eakf", NULL, NULL, held, 1, 0};
  return told;
}

static daunce_session *begin(const Told *told, int32_t *code) {
  daunce_session *session;
  double where[cells];
  for (int i = 0; i < cells; i++) where[i] = i;
  *code = daunce_create_c(told->comm, &session);
  if (*code) return session;
  daunce_set_description(session, told->description);
  if (told->has_array) daunce_set_array(session, "where", cells, where);
  daunce_set_configuration(session, told->file, told->text);
  if (told->key) daunce_set(session, told->key, told->value);
  daunce_set_method(session, told->method, told->agents);
  daunce_set_members(session, told->held);
  daunce_set_time(session, told->time);
  if (told->observations) daunce_set_observations(session, told->observations);
  *code = daunce_start(session);
  return session;
}

static void need(int32_t code, const daunce_session *session) {
  if (code == DAUNCE_OK) return;
  printf("unexpected: %d %s\n", (int)code, daunce_error(session));
  MPI_Abort(MPI_COMM_WORLD, 1);
}

static double wave(int cell, double time) { return sin(6.283185307179586 * (cell - time) / cells); }

static void observe_state(double *state) {
  state[cells] = 0;
  for (int i = 0; i < cells; i++) state[cells] += state[i];
}

static void initial(double states[][size], int first, int count) {
  for (int k = 0; k < count; k++) {
    for (int i = 0; i < cells; i++) states[k][i] = wave(i, 0) + 0.3 * sin(7.0 * (i + 1) * (first + k + 1));
    observe_state(states[k]);
  }
}

/// A turn by one cell, with noise of the session's seeds.
static void carry(daunce_session *session, double states[][size], int first, int count, int cycle) {
  for (int k = 0; k < count; k++) {
    uint64_t seed = 0;
    need(daunce_seed(session, first + k, cycle, &seed), session);
    double last = states[k][cells - 1];
    for (int i = cells - 1; i > 0; i--) states[k][i] = states[k][i - 1];
    states[k][0] = last + 0.2 * ((double)(seed >> 11) * 0x1p-53 - 0.5);
    observe_state(states[k]);
  }
}

enum source { from_file, on_root, on_all, at_places };

static const int64_t observed[5] = {7, 0, 3, 10, 5};

static void observe(daunce_session *session, enum source source, int rank, double time) {
  if (source == from_file || (source == on_root && rank != 0)) return;
  double values[5], deviations[5], places[5], total = 0;
  int64_t zero = 0;
  for (int k = 0; k < 5; k++) {
    places[k] = (double)observed[k];
    values[k] = wave((int)observed[k], time) + 0.5 * (k - 2);
    deviations[k] = 0.2;
  }
  if (source == at_places) {
    need(daunce_observe_places(session, "u", 5, places, values, deviations), session);
  } else {
    need(daunce_observe(session, "eastward_wind", 5, observed, values, deviations), session);
    need(daunce_observe(session, "total", 1, &zero, &total, deviations), session);
  }
}

/// The same observations as a file, without those of the total.
static void write_file(const char *path, int cycles) {
  FILE *file = fopen(path, "w");
  fprintf(file, "variable,time,x,value,error_sd\n");
  for (int time = 1; time <= cycles; time++)
    for (int k = 0; k < 5; k++)
      fprintf(file, "u,%d,%d,%.17g,0.2\n", time, (int)observed[k], wave((int)observed[k], time) + 0.5 * (k - 2));
  fclose(file);
}

/// One cycle of a session.
static void cycle(daunce_session *session, double states[][size], int count, enum source source, int rank, int number) {
  carry(session, states, (int)daunce_first_member(session), count, number);
  observe(session, source, rank, number);
  need(daunce_assimilate_block(session, number, count, size, &states[0][0], size), session);
}

/// Digest of all members' states in their order, whichever rank has them.
static uint64_t digest(daunce_session *session, double states[][size], int count) {
  uint64_t sum = 0, all;
  for (int k = 0; k < count; k++)
    for (int i = 0; i < size; i++) {
      uint64_t bits;
      memcpy(&bits, &states[k][i], 8);
      bits += 0x9E3779B97F4A7C15u * (uint64_t)((daunce_first_member(session) + k) * size + i + 1);
      bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
      bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
      sum += bits ^ (bits >> 31);
    }
  MPI_Allreduce(&sum, &all, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
  return all;
}

static uint64_t whole(Told told, enum source source, int cycles) {
  int32_t code;
  double states[members][size];
  daunce_session *session = begin(&told, &code);
  need(code, session);
  initial(states, (int)daunce_first_member(session), held);
  for (int k = 1; k <= cycles; k++) cycle(session, states, held, source, rank, k);
  uint64_t result = digest(session, states, held);
  need(daunce_destroy(&session), NULL);
  return result;
}

// ---- Mistakes ----

static int is_same(int32_t code, const char *text) {
  int32_t ends[4] = {code, -code, 0, 0};
  for (const char *c = text; *c; c++) ends[2] = (int32_t)((uint32_t)ends[2] * 31u + (uint32_t)*c) & 0xFFFFFF;
  ends[3] = -ends[2];
  MPI_Allreduce(MPI_IN_PLACE, ends, 4, MPI_INT32_T, MPI_MAX, MPI_COMM_WORLD);
  return ends[0] == -ends[1] && ends[2] == -ends[3];
}

/// A mistake in what a session is told. `again`: what daunce_start gives once it has been put right.
static void settings_error(const char *name) {
  Told told = usual();
  int32_t code;
  if (!strcmp(name, "key")) told.key = "filter.half_widht", told.value = "2";
  if (!strcmp(name, "text")) told.text = "{members: 6, filter: {inflation: 0.5}}";
  if (!strcmp(name, "file")) told.file = "nothing.yaml";
  if (!strcmp(name, "description")) told.description = "{fields: [{name: u}]}";
  if (!strcmp(name, "array")) told.has_array = 0;
  if (!strcmp(name, "method")) told.method = "magic";
  if (!strcmp(name, "no-agents")) told.method = "rl";
  if (!strcmp(name, "agents")) told.method = "rl", told.agents = "nowhere";
  if (!strcmp(name, "block")) told.held += rank == 0 ? -1 : rank == 1 ? 1 : 0;
  if (!strcmp(name, "total")) told.held += 1;
  if (!strcmp(name, "none")) told.held = rank == 0 ? 0 : 6;
  if (!strcmp(name, "ranks") && rank == 1) told.method = "letkf";
  if (!strcmp(name, "one-rank") && rank == 1) told.text = "{members: six}";
  if (!strcmp(name, "configurations") && rank == 1) told.key = "filter.half_width", told.value = "3";
  if (!strcmp(name, "observations")) told.observations = "nothing.csv";
  if (!strcmp(name, "additive")) told.text = "{members: 6, filter: {half_width: 2, additive: 0.1}}";
  if (!strcmp(name, "communicator")) told.comm = MPI_COMM_NULL;
  daunce_session *session = begin(&told, &code);
  int same = is_same(code, daunce_error(session)), again = -1;
  char text[4096];
  snprintf(text, sizeof text, "%s", daunce_error(session));
  if (!strcmp(name, "key")) daunce_set(session, told.key, NULL), again = daunce_start(session);
  if (!strcmp(name, "method")) daunce_set_method(session, "letkf", NULL), again = daunce_start(session);
  if (!strcmp(name, "total")) daunce_set_members(session, held), again = daunce_start(session);
  if (rank == 0) printf("%d same=%d again=%d | %s\n", (int)code, same, again, text);
  if (session) daunce_destroy(&session);
}

static void analysis_error(const char *name) {
  Told told = usual();
  int32_t code, again = -1;
  if (!strcmp(name, "both")) {
    if (rank == 0) write_file("both.csv", 2);
    MPI_Barrier(MPI_COMM_WORLD);
    told.observations = "both.csv";
  }
  daunce_session *session = begin(&told, &code);
  need(code, session);
  double states[members][size], before[members][size], *pointers[members], time = 1;
  initial(states, (int)daunce_first_member(session), held);
  for (int k = 0; k < held; k++) pointers[k] = states[k];
  int64_t count = held, length = size, cell = 3;
  double value = 0.5, error = 0.1;
  int last = rank == ranks - 1, is_far = !strcmp(name, "lost");
  if (!strcmp(name, "nan") && last) states[held - 1][4] = NAN;
  if (is_far && last) states[held - 1][4] = 150;
  if (is_far) daunce_observe(session, "u", 1, &cell, &value, &error);
  memcpy(before, states, sizeof states);
  if (!strcmp(name, "count") && last) count += 1;
  if (!strcmp(name, "size") && last) length -= 1;
  if (!strcmp(name, "null") && last) pointers[held - 1] = NULL;
  if (!strcmp(name, "quantity")) daunce_observe(session, "w", 1, &cell, &value, &error);
  if (!strcmp(name, "both")) daunce_observe(session, "u", 1, &cell, &value, &error);
  if (!strcmp(name, "arrays") && last) daunce_observe(session, "u", 1, NULL, &value, &error);
  if (!strcmp(name, "cell")) cell = 12, daunce_observe(session, "u", 1, &cell, &value, &error);
  if (!strcmp(name, "error")) error = 0, daunce_observe(session, "u", 1, &cell, &value, &error);
  if (!strcmp(name, "differ")) value += last, daunce_observe(session, "u", 1, &cell, &value, &error);
  if (!strcmp(name, "elsewhere") && last) daunce_observe(session, "u", 1, &cell, &value, &error);
  if (!strcmp(name, "between")) time = 1.5;
  if (!strcmp(name, "times")) time += last;
  code = daunce_assimilate(session, time, count, length, pointers);
  char text[4096];
  snprintf(text, sizeof text, "%s", daunce_error(session));
  int same = is_same(code, text), untouched = !memcmp(before, states, sizeof states);
  if (!strcmp(name, "nan")) untouched = isnan(states[held - 1][4]) || !last;
  MPI_Allreduce(MPI_IN_PLACE, &untouched, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  // The same call without the mistake.
  initial(states, (int)daunce_first_member(session), held);
  for (int k = 0; k < held; k++) pointers[k] = states[k];
  again = daunce_assimilate(session, 1, held, size, pointers);
  if (!strcmp(name, "past")) {
    code = daunce_assimilate(session, 1, held, size, pointers);
    snprintf(text, sizeof text, "%s", daunce_error(session));
    same = is_same(code, text);
  }
  if (rank == 0) printf("%d same=%d untouched=%d again=%d | %s\n", (int)code, same, untouched, (int)again, text);
  daunce_destroy(&session);
}

/// Calls in a wrong order, on what is no session, and of what is not there.
static void order_errors(void) {
  Told told = usual();
  int32_t code;
  daunce_session *session, *gone;
  double state[size];
  need(daunce_create_c(MPI_COMM_WORLD, &session), NULL);
  int early = daunce_assimilate_block(session, 1, held, size, state, size), early_moments = daunce_moments(session, state, NULL);
  int64_t early_size = daunce_state_size(session), early_bytes = daunce_save_size(session);
  need(daunce_destroy(&session), NULL);
  session = begin(&told, &code);
  need(code, session);
  int late = daunce_set_time(session, 2), second = daunce_start(session), unread = daunce_initial_states(session, state, size);
  int nothing = daunce_moments(session, state, NULL), damaged = daunce_restore(session, "damaged", 7);
  gone = session;
  need(daunce_destroy(&session), NULL);
  int after = daunce_start(gone), twice = daunce_destroy(&gone), none = daunce_start(NULL);
  int invalid = daunce_create(-7, &session);
  if (rank == 0)
    printf(
        "%d %d %d %d | %d %d %d %d %d | %d %d %d %d | %s\n", early, early_moments, (int)early_size, (int)early_bytes, late, second,
        unread, nothing, damaged, after, twice, none, invalid, daunce_error(NULL));
}

// ---- What is right ----

static void sources(void) {
  if (rank == 0) write_file("sources.csv", 8);
  MPI_Barrier(MPI_COMM_WORLD);
  Told told = usual();
  told.text = "{members: 6, observations: {networks: [{field: u, every: 3, sd: 0.1, interval: 2}]}, filter: {half_width: 2, adaptive: 0.5}}";
  uint64_t places = whole(told, at_places, 8);
  told.observations = "sources.csv";
  uint64_t file = whole(told, from_file, 8);
  uint64_t root = whole(usual(), on_root, 8), all = whole(usual(), on_all, 8);
  if (rank == 0)
    printf("%s %s %s %016llx\n", file == places ? "same" : "other", root == all ? "same" : "other",
        file == root ? "same" : "other", (unsigned long long)root);
}

static void two(void) {
  Told one = usual(), other = usual();
  MPI_Comm reversed;
  MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &reversed);
  int other_rank, other_held;
  MPI_Comm_rank(reversed, &other_rank);
  other_held = members / ranks + (other_rank < members % ranks);
  other.comm = reversed, other.held = other_held, other.method = "particle-filter", other.text = "{members: 6, filter: {half_width: 2}}";
  uint64_t alone = whole(one, on_root, 6);
  int32_t code;
  uint64_t results[2];
  for (int turn = 0; turn < 2; turn++) {
    daunce_session *a = turn ? begin(&one, &code) : NULL;
    need(code = turn ? code : 0, a);
    daunce_session *b = begin(&other, &code);
    need(code, b);
    double left[members][size], right[members][size];
    if (a) initial(left, (int)daunce_first_member(a), held);
    initial(right, (int)daunce_first_member(b), other_held);
    for (int k = 1; k <= 6; k++) {
      if (a) cycle(a, left, held, on_root, rank, k);
      cycle(b, right, other_held, on_root, other_rank, 2 * k);
    }
    results[turn] = digest(b, right, other_held);
    if (a && digest(a, left, held) != alone) alone = 0;
    need(daunce_destroy(&b), NULL);
    if (a) need(daunce_destroy(&a), NULL);
  }
  if (rank == 0) printf("%s %s\n", alone ? "same" : "other", results[0] == results[1] ? "same" : "other");
  MPI_Comm_free(&reversed);
}

static void save(void) {
  Told told = usual();
  int32_t code;
  double states[members][size], kept[members][size];
  daunce_session *first = begin(&told, &code);
  need(code, first);
  initial(states, (int)daunce_first_member(first), held);
  for (int k = 1; k <= 4; k++) cycle(first, states, held, on_root, rank, k);
  int64_t length = daunce_save_size(first);
  char *bytes = malloc((size_t)length);
  need(daunce_save(first, bytes, length), first);
  memcpy(kept, states, sizeof states);
  for (int k = 5; k <= 8; k++) cycle(first, states, held, on_root, rank, k);
  uint64_t expected = digest(first, states, held), found[2];
  for (int restored = 0; restored < 2; restored++) {
    daunce_session *second = begin(&told, &code);
    need(code, second);
    if (restored) need(daunce_restore(second, bytes, length), second);
    if (restored && daunce_cycle(second) != 4) printf("cycle %d\n", (int)daunce_cycle(second));
    memcpy(states, kept, sizeof states);
    for (int k = 5; k <= 8; k++) cycle(second, states, held, on_root, rank, k);
    found[restored] = digest(second, states, held);
    need(daunce_destroy(&second), NULL);
  }
  // Bytes of another method, and bytes in which one has changed.
  told.method = "letkf";
  daunce_session *third = begin(&told, &code);
  need(code, third);
  int other = daunce_restore(third, bytes, length);
  char text[4096];
  snprintf(text, sizeof text, "%s", daunce_error(third));
  need(daunce_destroy(&third), NULL);
  if (rank == ranks - 1) bytes[length / 2] ^= 1;
  int damaged = daunce_restore(first, bytes, length);
  if (rank == 0)
    printf("%s %s %d %d %s; %s\n", found[1] == expected ? "same" : "other", found[0] == expected ? "same" : "other", other, damaged, text,
        daunce_error(first));
  need(daunce_destroy(&first), NULL);
  free(bytes);
}

static void modes(void) {
  uint64_t usual_result = whole(usual(), on_root, 4);
  int before, after;
  MPI_Query_thread(&before);
  fesetround(FE_UPWARD);
  feenableexcept(FE_INVALID);
  Told told = usual();
  int32_t code;
  daunce_session *session = begin(&told, &code);
  need(code, session);
  double states[members][size], mean[size], spread[size];
  fesetround(FE_TONEAREST);
  initial(states, (int)daunce_first_member(session), held);
  for (int k = 1; k <= 4; k++) {
    fesetround(FE_TONEAREST);
    carry(session, states, (int)daunce_first_member(session), held, k);
    observe(session, on_root, rank, k);
    fesetround(FE_UPWARD);
    need(daunce_assimilate_block(session, k, held, size, &states[0][0], size), session);
  }
  need(daunce_moments(session, mean, spread), session);
  int kept = fegetround() == FE_UPWARD && fegetexcept() == FE_INVALID;
  fesetround(FE_TONEAREST);
  fedisableexcept(FE_ALL_EXCEPT);
  double sum[2] = {0, 0};
  for (int k = 0; k < held; k++) sum[0] += states[k][2];
  MPI_Allreduce(MPI_IN_PLACE, sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  int right = fabs(sum[0] / members - mean[2]) < 1e-12 && spread[2] > 0;
  uint64_t result = digest(session, states, held);
  need(daunce_destroy(&session), NULL);
  MPI_Errhandler handler;
  MPI_Comm_get_errhandler(MPI_COMM_WORLD, &handler);
  MPI_Query_thread(&after);
  int one = 1;
  MPI_Allreduce(MPI_IN_PLACE, &one, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0)
    printf("%s kept=%d moments=%d handler=%d thread=%d ranks=%d\n", result == usual_result ? "same" : "other", kept, right,
        handler == MPI_ERRORS_ARE_FATAL, before == after, one == ranks);
}

// ---- Any model in a shared library, as the program's own ----

typedef struct {
  int32_t (*create)(const char *, void **), (*forecast)(void *, double, double, uint64_t, double *);
  int32_t (*coarse)(void *, double, double, double *), (*observe)(void *, double, const double *, double *);
  const char *(*description)(void *);
  int64_t state;
  void *models[64];
} Plugin;

static int32_t coarse(void *user, double from, double to, double *state) {
  Plugin *plugin = user;
  int32_t code = plugin->coarse(plugin->models[0], from, to, state);
  return code == 0 && plugin->observe ? plugin->observe(plugin->models[0], to, state, state + plugin->state) : code;
}

/// run LIBRARY STATE METHOD FOLDER RESULT [AGENTS]: the files of `daunce-mpi simulate` in FOLDER, and mean and spread of every
/// analysis in RESULT. STATE is how many numbers the model carries; what it observes follows. With agents that correct the
/// coarse forecast or nothing the program makes no forecast of its own.
static void run(char **word) {
  Plugin plugin = {0};
  void *library = dlopen(word[0], RTLD_NOW);
  *(void **)&plugin.create = dlsym(library, "daunce_model_create");
  *(void **)&plugin.forecast = dlsym(library, "daunce_model_forecast");
  *(void **)&plugin.coarse = dlsym(library, "daunce_model_coarse_forecast");
  *(void **)&plugin.observe = dlsym(library, "daunce_model_observe");
  *(void **)&plugin.description = dlsym(library, "daunce_model_description");
  plugin.state = atoi(word[1]);
  for (int k = 0; k < held; k++) plugin.create("", &plugin.models[k]);
  char path[4096];
  daunce_session *session;
  need(daunce_create_c(MPI_COMM_WORLD, &session), NULL);
  need(daunce_set_description(session, plugin.description(plugin.models[0])), session);
  need(daunce_set_configuration(session, "experiment.yaml", NULL), session);
  need(daunce_set_method(session, word[2], word[5]), session);
  need(daunce_set_members(session, held), session);
  snprintf(path, sizeof path, "%s/initial.nc", word[3]);
  need(daunce_set_initial(session, path), session);
  snprintf(path, sizeof path, "%s/observations.nc", word[3]);
  need(daunce_set_observations(session, path), session);
  int is_coarse = word[5] != NULL && plugin.coarse != NULL;
  if (is_coarse) need(daunce_set_coarse_forecast(session, coarse, &plugin), session);
  need(daunce_start(session), session);
  int64_t length = daunce_state_size(session);
  double *states = malloc((size_t)(held * length) * 8), *mean = malloc((size_t)length * 16);
  need(daunce_initial_states(session, states, length), session);
  FILE *file = rank == 0 ? fopen(word[4], "wb") : NULL;
  for (int64_t cycle = 1; cycle <= daunce_last_observed(session); cycle++) {
    double from = daunce_time(session), to = from + daunce_interval(session);
    for (int k = 0; k < held && !is_coarse; k++) {
      double *state = states + k * length;
      uint64_t seed;
      need(daunce_seed(session, daunce_first_member(session) + k, cycle, &seed), session);
      plugin.forecast(plugin.models[k], from, to, seed, state);
      if (plugin.observe) plugin.observe(plugin.models[k], to, state, state + plugin.state);
    }
    need(daunce_assimilate_block(session, to, held, length, states, length), session);
    need(daunce_moments(session, mean, mean + length), session);
    if (file) fwrite(mean, 8, (size_t)(2 * length), file);
  }
  if (file) fclose(file);
  need(daunce_destroy(&session), NULL);
  if (rank == 0) printf("done\n");
  free(states);
  free(mean);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  held = members / ranks + (rank < members % ranks);
  const char *what = argc > 1 ? argv[1] : "";
  for (int k = 2; k < argc; k++) {
    if (!strcmp(what, "settings")) settings_error(argv[k]);
    if (!strcmp(what, "analysis")) analysis_error(argv[k]);
  }
  if (!strcmp(what, "order")) order_errors();
  if (!strcmp(what, "sources")) sources();
  if (!strcmp(what, "two")) two();
  if (!strcmp(what, "save")) save();
  if (!strcmp(what, "modes")) modes();
  if (!strcmp(what, "run")) run(argv + 2);
  MPI_Finalize();
  return 0;
}
