/* The Basic Model Interface, version 2.0, as C libraries have it: a table of functions, in the order that the
 * Community Surface Dynamics Modeling System publishes (bmi.csdms.io). Functions return 0, or something else for a failure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DAUNCE_BMI_H
#define DAUNCE_BMI_H

#include "guard.h"

#define DAUNCE_BMI_TEXT 2048 /* bytes that every text has room in */

struct Bmi;
typedef int daunce_bmi_action(struct Bmi *self);
typedef int daunce_bmi_start(struct Bmi *self, const char *file);
typedef int daunce_bmi_until(struct Bmi *self, double time);
typedef int daunce_bmi_text(struct Bmi *self, char *text);
typedef int daunce_bmi_count(struct Bmi *self, int *count);
typedef int daunce_bmi_names(struct Bmi *self, char **names);
typedef int daunce_bmi_time(struct Bmi *self, double *time);
typedef int daunce_bmi_variable_number(struct Bmi *self, const char *variable, int *number);
typedef int daunce_bmi_variable_text(struct Bmi *self, const char *variable, char *text);
typedef int daunce_bmi_values(struct Bmi *self, const char *variable, void *values);
typedef int daunce_bmi_pointer(struct Bmi *self, const char *variable, void **pointer);
typedef int daunce_bmi_get_some(struct Bmi *self, const char *variable, void *values, int *places, int count);
typedef int daunce_bmi_set_some(struct Bmi *self, const char *variable, int *places, int count, void *values);
typedef int daunce_bmi_grid_numbers(struct Bmi *self, int grid, int *numbers);
typedef int daunce_bmi_grid_text(struct Bmi *self, int grid, char *text);
typedef int daunce_bmi_grid_coordinates(struct Bmi *self, int grid, double *coordinates);

typedef struct Bmi {
  void *data;
  daunce_bmi_start *initialize;
  daunce_bmi_action *update;
  daunce_bmi_until *update_until;
  daunce_bmi_action *finalize;
  daunce_bmi_text *get_component_name;
  daunce_bmi_count *get_input_item_count, *get_output_item_count;
  daunce_bmi_names *get_input_var_names, *get_output_var_names;
  daunce_bmi_variable_number *get_var_grid;
  daunce_bmi_variable_text *get_var_type, *get_var_units;
  daunce_bmi_variable_number *get_var_itemsize, *get_var_nbytes;
  daunce_bmi_variable_text *get_var_location;
  daunce_bmi_time *get_current_time, *get_start_time, *get_end_time;
  daunce_bmi_text *get_time_units;
  daunce_bmi_time *get_time_step;
  daunce_bmi_values *get_value;
  daunce_bmi_pointer *get_value_ptr;
  daunce_bmi_get_some *get_value_at_indices;
  daunce_bmi_values *set_value;
  daunce_bmi_set_some *set_value_at_indices;
  daunce_bmi_grid_numbers *get_grid_rank, *get_grid_size;
  daunce_bmi_grid_text *get_grid_type;
  daunce_bmi_grid_numbers *get_grid_shape;
  daunce_bmi_grid_coordinates *get_grid_spacing, *get_grid_origin, *get_grid_x, *get_grid_y, *get_grid_z;
  daunce_bmi_grid_numbers *get_grid_node_count, *get_grid_edge_count, *get_grid_face_count;
  daunce_bmi_grid_numbers *get_grid_edge_nodes, *get_grid_face_edges, *get_grid_face_nodes, *get_grid_nodes_per_face;
} Bmi;

/* Guarded calls of functions that are there. */
struct daunce_outcome daunce_guard_bmi_register(void *address, Bmi *self);
struct daunce_outcome daunce_guard_bmi_action(daunce_bmi_action *function, Bmi *self);
struct daunce_outcome daunce_guard_bmi_start(daunce_bmi_start *function, Bmi *self, const char *file);
struct daunce_outcome daunce_guard_bmi_text(daunce_bmi_text *function, Bmi *self, char *text);
struct daunce_outcome daunce_guard_bmi_time(daunce_bmi_time *function, Bmi *self, double *time);
struct daunce_outcome daunce_guard_bmi_variable_number(
    daunce_bmi_variable_number *function, Bmi *self, const char *variable, int *number);
struct daunce_outcome daunce_guard_bmi_variable_text(
    daunce_bmi_variable_text *function, Bmi *self, const char *variable, char *text);
struct daunce_outcome daunce_guard_bmi_values(daunce_bmi_values *function, Bmi *self, const char *variable, void *values);
struct daunce_outcome daunce_guard_bmi_grid_numbers(
    daunce_bmi_grid_numbers *function, Bmi *self, int grid, int *numbers);
struct daunce_outcome daunce_guard_bmi_grid_text(daunce_bmi_grid_text *function, Bmi *self, int grid, char *text);
struct daunce_outcome daunce_guard_bmi_grid_coordinates(
    daunce_bmi_grid_coordinates *function, Bmi *self, int grid, double *coordinates);

#endif
