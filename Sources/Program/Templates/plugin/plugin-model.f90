! NAME: a model for daunce-mpi. Replace what says "here" by your own.
module own_model
  use, intrinsic :: iso_c_binding
  implicit none
  real(c_double), parameter :: dt = 0.05_c_double

  ! One model, what C knows as void *; several are alive in one process, so keep everything in here.
  type, bind(c) :: model
    integer(c_int) :: cells
    real(c_double) :: forcing
    character(kind=c_char) :: text(1000)  ! the description, or why there is no model
  end type

contains

  integer(c_int32_t) function version() bind(c, name="daunce_model_version")
    version = 1
  end function

  integer(c_int32_t) function create(parameters, handle) bind(c, name="daunce_model_create")
    character(kind=c_char), intent(in) :: parameters(*)
    type(c_ptr), intent(out) :: handle
    type(model), pointer :: m
    character(len=1000) :: text
    integer :: i, status, cells
    real(c_double) :: forcing
    namelist /own/ cells, forcing
    cells = 40; forcing = 8  ! here: your parameters
    text = "&own"  ! lines "name = value" with commas between them are a namelist
    do i = 6, len(text) - 1
      if (parameters(i - 5) == c_null_char) exit
      text(i:i) = merge(",", parameters(i - 5), parameters(i - 5) == c_new_line)
    end do
    text(i:i) = "/"
    read (text, nml=own, iostat=status)
    create = merge(0, 1, status == 0 .and. cells >= 4)
    ! Here: your fields, their grids, units, typical sizes and bounds.
    if (create == 0) then
      write (text, '(a, i0, a, i0, a, i0, a, g0, a)') "{name: NAME, time_step: 0.05, spinup: 20, "// &
        "axes: [{name: x, period: ", cells, "}], dimensions: [{name: x, length: ", cells, "}], "// &
        "fields: [{name: u, long_name: what the model is about, reference: 2.3, scale: 3.6}], "// &
        "observing: {field: u, sd: 1, interval: 1}, parameters: {cells: ", cells, ", forcing: ", forcing, "}}"
    else
      text = "cells, forcing: expected 4 cells or more, and numbers"
    end if
    allocate (m)
    m%cells = cells
    m%forcing = forcing
    m%text = transfer(trim(text)//c_null_char//repeat(" ", 1000), m%text)
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

  ! A state to start a spin-up from; the same seed gives the same one.
  integer(c_int32_t) function initial_state(m, seed, state) bind(c, name="daunce_model_initial_state")
    type(model), intent(in) :: m
    integer(c_int64_t), value :: seed
    real(c_double), intent(out) :: state(m%cells)
    integer :: i
    state = [(m%forcing + sin(real(iand(seed, 8191_c_int64_t) * i, c_double)), i=1, m%cells)]
    initial_state = 0
  end function

  ! Here: your tendencies. The example is Lorenz (1996).
  function tendency(x, forcing) result(slope)
    real(c_double), intent(in) :: x(:), forcing
    real(c_double) :: slope(size(x))
    slope = (cshift(x, 1) - cshift(x, -2)) * cshift(x, -1) - x + forcing
  end function

  subroutine step(x, forcing, h)  ! Heun's scheme
    real(c_double), intent(inout) :: x(:)
    real(c_double), intent(in) :: forcing, h
    real(c_double) :: first(size(x)), second(size(x))
    first = tendency(x, forcing)
    second = tendency(x + h * first, forcing)
    x = x + h / 2 * (first + second)
  end subroutine

  ! From one time to another, both multiples of the time step. Noise, if there is any, comes from the seed alone.
  integer(c_int32_t) function forecast(m, from, to, seed, state) bind(c, name="daunce_model_forecast")
    type(model), intent(in) :: m
    real(c_double), value :: from, to
    integer(c_int64_t), value :: seed
    real(c_double), intent(inout) :: state(m%cells)
    integer :: k
    do k = 1, 2 * nint((to - from) / dt)
      call step(state, m%forcing, dt / 2)
    end do
    forecast = 0
  end function

  ! A cheap forecast without noise, which agents correct; leave it out if there is none.
  integer(c_int32_t) function coarse_forecast(m, from, to, state) bind(c, name="daunce_model_coarse_forecast")
    type(model), intent(in) :: m
    real(c_double), value :: from, to
    real(c_double), intent(inout) :: state(m%cells)
    integer :: k
    do k = 1, nint((to - from) / dt)
      call step(state, m%forcing, dt)
    end do
    coarse_forecast = 0
  end function

end module
