! A positive tracer that a gusty wind carries around a circle, and that relaxes to a profile: its mean is conserved.
! SPDX-License-Identifier: Apache-2.0
module tracer
  use, intrinsic :: iso_c_binding
  implicit none
  real(c_double), parameter :: dt = 0.01_c_double, two_pi = 8 * atan(1.0_c_double)

  type, bind(c) :: model  ! what the C side knows as void *
    integer(c_int) :: cells
    real(c_double) :: gust
    character(kind=c_char) :: text(512)
  end type

contains

  integer(c_int32_t) function version() bind(c, name="daunce_model_version")
    version = 1
  end function

  integer(c_int32_t) function create(parameters, handle) bind(c, name="daunce_model_create")
    character(kind=c_char), intent(in) :: parameters(*)
    type(c_ptr), intent(out) :: handle
    type(model), pointer :: m
    character(len=512) :: text
    integer :: i, status, cells
    real(c_double) :: gust
    namelist /tracer/ cells, gust
    cells = 64; gust = 1
    text = "&tracer"  ! lines "name = value" with commas between them are a namelist
    do i = 9, len(text) - 1
      if (parameters(i - 8) == c_null_char) exit
      text(i:i) = merge(",", parameters(i - 8), parameters(i - 8) == c_new_line)
    end do
    text(i:i) = "/"
    read (text, nml=tracer, iostat=status)
    create = merge(0, 1, status == 0 .and. cells >= 4 .and. gust >= 0 .and. (1 + 3 * gust) * dt * cells <= 4)
    if (create == 0) then
      write (text, '(a, i0, a, i0, a, g0, a)') "{name: tracer-fortran, time_step: 0.01, spinup: 10, "// &
        "axes: [{name: x, period: 4}], dimensions: [{name: x, length: ", cells, "}], "// &
        "fields: [{name: u, reference: 1, scale: 0.4, lower: 0.0001}], invariants: [{name: mass, fields: [u]}], "// &
        "observing: {sd: 0.1, interval: 10}, parameters: {cells: ", cells, ", gust: ", gust, "}}"
    else
      text = "cells, gust: expected 4 cells or more, and winds that the time step of 0.01 allows"
    end if
    allocate (m)
    m%cells = cells
    m%gust = gust
    m%text = transfer(trim(text)//c_null_char//repeat(" ", 512), m%text)
    handle = c_loc(m)
  end function

  subroutine destroy(handle) bind(c, name="daunce_model_destroy")
    type(c_ptr), value :: handle
    type(model), pointer :: m
    call c_f_pointer(handle, m)
    deallocate (m)
  end subroutine

  type(c_ptr) function description(m) bind(c, name="daunce_model_description")
    type(model), intent(in), target :: m
    description = c_loc(m%text)
  end function

  type(c_ptr) function error(m) bind(c, name="daunce_model_error")
    type(model), intent(in), target :: m
    error = c_loc(m%text)
  end function

  integer(c_int32_t) function initial_state(m, seed, state) bind(c, name="daunce_model_initial_state")
    type(model), intent(in) :: m
    integer(c_int64_t), value :: seed
    real(c_double), intent(out) :: state(m%cells)
    integer :: i
    state = [(1 + 0.9_c_double * sin(two_pi * i / m%cells + iand(seed, 1023_c_int64_t)), i=1, m%cells)]
    initial_state = 0
  end function

  integer(c_int32_t) function forecast(m, from, to, seed, state) bind(c, name="daunce_model_forecast")
    type(model), intent(in) :: m
    real(c_double), value :: from, to
    integer(c_int64_t), value :: seed
    real(c_double), intent(inout) :: state(m%cells)
    real(c_double) :: flux(m%cells), profile(m%cells), c
    integer :: i, step, turn
    profile = [(1 + 0.9_c_double * sin(two_pi * i / m%cells), i=1, m%cells)]
    do step = 1, nint((to - from) / dt)
      do turn = 1, 4  ! a gust from -3 to 3 out of the seed, by xorshift
        seed = ieor(seed + turn, ishft(seed + turn, 13))
        seed = ieor(seed, ishft(seed, -7))
        seed = ieor(seed, ishft(seed, 17))
      end do
      c = (1 + m%gust * 3 * (real(ishft(seed, -11), c_double) * 2.0_c_double**(-52) - 1)) * dt * m%cells / 4
      flux = max(c, 0.0_c_double) * state + min(c, 0.0_c_double) * cshift(state, 1)
      state = state - (flux - cshift(flux, -1)) + dt * (profile * sum(state) / m%cells - state)
    end do
    forecast = 0
  end function

end module
