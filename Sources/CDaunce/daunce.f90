! libdaunce for Fortran: the functions of daunce.h by the same names, which has what each of them does.
!
! A session is a type(c_ptr); functions return DAUNCE_OK or another code, whose reason daunce_error(session) tells. Texts
! are Fortran's, without blanks at their end. Members and cells are counted from 0, as in C. The communicator is an integer:
! that of `use mpi`, or comm%MPI_VAL of `use mpi_f08`.
! SPDX-License-Identifier: Apache-2.0

! What texts and arrays go through.
module daunce_c
  use, intrinsic :: iso_c_binding
  implicit none

  interface  ! texts of C
    function c_version() bind(c, name="daunce_version") result(text)
      import :: c_ptr
      type(c_ptr) :: text
    end function
    function c_error(session) bind(c, name="daunce_error") result(text)
      import :: c_ptr
      type(c_ptr), value :: session
      type(c_ptr) :: text
    end function
    function c_notes(session) bind(c, name="daunce_notes") result(text)
      import :: c_ptr
      type(c_ptr), value :: session
      type(c_ptr) :: text
    end function
    integer(c_int32_t) function c_set_description(session, yaml) bind(c, name="daunce_set_description")
      import :: c_int32_t, c_ptr, c_char
      type(c_ptr), value :: session
      character(kind=c_char), intent(in) :: yaml(*)
    end function
    integer(c_int32_t) function c_set_array(session, name, count, values) bind(c, name="daunce_set_array")
      import :: c_int32_t, c_int64_t, c_double, c_ptr, c_char
      type(c_ptr), value :: session
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int64_t), value :: count
      real(c_double), intent(in) :: values(*)
    end function
    integer(c_int32_t) function c_set_configuration(session, file, yaml) bind(c, name="daunce_set_configuration")
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: session, file, yaml
    end function
    integer(c_int32_t) function c_set(session, key, text) bind(c, name="daunce_set")
      import :: c_int32_t, c_ptr, c_char
      type(c_ptr), value :: session
      character(kind=c_char), intent(in) :: key(*), text(*)
    end function
    integer(c_int32_t) function c_set_method(session, method, agents) bind(c, name="daunce_set_method")
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: session, method, agents
    end function
    integer(c_int32_t) function c_set_observations(session, file) bind(c, name="daunce_set_observations")
      import :: c_int32_t, c_ptr, c_char
      type(c_ptr), value :: session
      character(kind=c_char), intent(in) :: file(*)
    end function
    integer(c_int32_t) function c_set_initial(session, file) bind(c, name="daunce_set_initial")
      import :: c_int32_t, c_ptr, c_char
      type(c_ptr), value :: session
      character(kind=c_char), intent(in) :: file(*)
    end function
    integer(c_int32_t) function c_initial_states(session, states, stride) bind(c, name="daunce_initial_states")
      import :: c_int32_t, c_int64_t, c_double, c_ptr
      type(c_ptr), value :: session
      real(c_double), intent(inout) :: states(*)
      integer(c_int64_t), value :: stride
    end function
    integer(c_int32_t) function c_observe(session, quantity, count, cells, values, deviations) bind(c, name="daunce_observe")
      import :: c_int32_t, c_int64_t, c_double, c_ptr, c_char
      type(c_ptr), value :: session
      character(kind=c_char), intent(in) :: quantity(*)
      integer(c_int64_t), value :: count
      integer(c_int64_t), intent(in) :: cells(*)
      real(c_double), intent(in) :: values(*), deviations(*)
    end function
    integer(c_int32_t) function c_observe_places(session, quantity, count, places, values, deviations) &
        bind(c, name="daunce_observe_places")
      import :: c_int32_t, c_int64_t, c_double, c_ptr, c_char
      type(c_ptr), value :: session
      character(kind=c_char), intent(in) :: quantity(*)
      integer(c_int64_t), value :: count
      real(c_double), intent(in) :: places(*), values(*), deviations(*)
    end function
    integer(c_size_t) function c_length(text) bind(c, name="strlen")
      import :: c_size_t, c_ptr
      type(c_ptr), value :: text
    end function
  end interface
contains

  ! A text of C's.
  function fortran_text(pointer) result(text)
    type(c_ptr), intent(in) :: pointer
    character(len=:), allocatable :: text
    character(kind=c_char), pointer :: characters(:)
    integer :: i
    call c_f_pointer(pointer, characters, [c_length(pointer)])
    allocate (character(len=size(characters)) :: text)
    do i = 1, size(characters)
      text(i:i) = characters(i)
    end do
  end function

  ! A text for C.
  pure function c_text(text)
    character(len=*), intent(in) :: text
    character(kind=c_char, len=:), allocatable :: c_text
    c_text = trim(text)//c_null_char
  end function

end module

module daunce
  use, intrinsic :: iso_c_binding
  use daunce_c
  implicit none
  private :: c_version, c_error, c_notes, c_set_description, c_set_array, c_set_configuration, c_set, c_set_method
  private :: c_set_observations, c_set_initial, c_initial_states, c_observe, c_observe_places, c_length, fortran_text, c_text

  integer(c_int32_t), parameter :: DAUNCE_OK = 0, DAUNCE_USAGE = 64, DAUNCE_DATA = 65, DAUNCE_LOST = 66, &
    DAUNCE_INTERNAL = 70, DAUNCE_IO = 74

  abstract interface
    integer(c_int32_t) function daunce_coarse_forecast(user, from, to, state) bind(c)
      import :: c_int32_t, c_ptr, c_double
      type(c_ptr), value :: user
      real(c_double), value :: from, to
      real(c_double), intent(inout) :: state(*)
    end function
  end interface

  interface  ! what needs no help
    integer(c_int32_t) function daunce_interface() bind(c)
      import :: c_int32_t
    end function
    integer(c_int32_t) function daunce_create(communicator, session) bind(c)
      import :: c_int32_t, c_ptr
      integer(c_int32_t), value :: communicator
      type(c_ptr), intent(out) :: session
    end function
    integer(c_int32_t) function daunce_destroy(session) bind(c)
      import :: c_int32_t, c_ptr
      type(c_ptr), intent(inout) :: session
    end function
    integer(c_int32_t) function daunce_set_members(session, members) bind(c)
      import :: c_int32_t, c_ptr, c_int64_t
      type(c_ptr), value :: session
      integer(c_int64_t), value :: members
    end function
    integer(c_int32_t) function daunce_set_time(session, time) bind(c)
      import :: c_int32_t, c_ptr, c_double
      type(c_ptr), value :: session
      real(c_double), value :: time
    end function
    integer(c_int32_t) function daunce_set_coarse_forecast(session, function, user) bind(c)
      import :: c_int32_t, c_ptr, c_funptr
      type(c_ptr), value :: session, user
      type(c_funptr), value :: function  ! c_funloc of a daunce_coarse_forecast
    end function
    integer(c_int32_t) function daunce_start(session) bind(c)
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: session
    end function
    integer(c_int64_t) function daunce_state_size(session) bind(c)
      import :: c_int64_t, c_ptr
      type(c_ptr), value :: session
    end function
    integer(c_int64_t) function daunce_members(session) bind(c)
      import :: c_int64_t, c_ptr
      type(c_ptr), value :: session
    end function
    integer(c_int64_t) function daunce_first_member(session) bind(c)
      import :: c_int64_t, c_ptr
      type(c_ptr), value :: session
    end function
    integer(c_int64_t) function daunce_cycle(session) bind(c)
      import :: c_int64_t, c_ptr
      type(c_ptr), value :: session
    end function
    integer(c_int64_t) function daunce_last_observed(session) bind(c)
      import :: c_int64_t, c_ptr
      type(c_ptr), value :: session
    end function
    real(c_double) function daunce_time(session) bind(c)
      import :: c_double, c_ptr
      type(c_ptr), value :: session
    end function
    real(c_double) function daunce_interval(session) bind(c)
      import :: c_double, c_ptr
      type(c_ptr), value :: session
    end function
    integer(c_int32_t) function daunce_seed(session, member, cycle, seed) bind(c)
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: session
      integer(c_int64_t), value :: member, cycle
      integer(c_int64_t), intent(out) :: seed  ! 64 bits, whatever their sign
    end function
    integer(c_int32_t) function daunce_assimilate(session, time, members, size, states) bind(c)
      import :: c_int32_t, c_int64_t, c_double, c_ptr
      type(c_ptr), value :: session
      real(c_double), value :: time
      integer(c_int64_t), value :: members, size
      type(c_ptr), intent(in) :: states(*)  ! c_loc of every state
    end function
    integer(c_int32_t) function daunce_assimilate_block(session, time, members, size, states, stride) bind(c)
      import :: c_int32_t, c_int64_t, c_double, c_ptr
      type(c_ptr), value :: session
      real(c_double), value :: time
      integer(c_int64_t), value :: members, size, stride
      real(c_double), intent(inout) :: states(*)
    end function
    integer(c_int32_t) function daunce_moments(session, mean, spread) bind(c)
      import :: c_int32_t, c_double, c_ptr
      type(c_ptr), value :: session
      real(c_double), intent(out) :: mean(*), spread(*)
    end function
    integer(c_int64_t) function daunce_save_size(session) bind(c)
      import :: c_int64_t, c_ptr
      type(c_ptr), value :: session
    end function
    integer(c_int32_t) function daunce_save(session, bytes, size) bind(c)
      import :: c_int32_t, c_int64_t, c_int8_t, c_ptr
      type(c_ptr), value :: session
      integer(c_int8_t), intent(out) :: bytes(*)
      integer(c_int64_t), value :: size
    end function
    integer(c_int32_t) function daunce_restore(session, bytes, size) bind(c)
      import :: c_int32_t, c_int64_t, c_int8_t, c_ptr
      type(c_ptr), value :: session
      integer(c_int8_t), intent(in) :: bytes(*)
      integer(c_int64_t), value :: size
    end function
  end interface

contains

  function daunce_version() result(text)
    character(len=:), allocatable :: text
    text = fortran_text(c_version())
  end function

  function daunce_error(session) result(text)
    type(c_ptr), intent(in) :: session
    character(len=:), allocatable :: text
    text = fortran_text(c_error(session))
  end function

  function daunce_notes(session) result(text)
    type(c_ptr), intent(in) :: session
    character(len=:), allocatable :: text
    text = fortran_text(c_notes(session))
  end function

  integer(c_int32_t) function daunce_set_description(session, yaml) result(code)
    type(c_ptr), intent(in) :: session
    character(len=*), intent(in) :: yaml
    code = c_set_description(session, c_text(yaml))
  end function

  integer(c_int32_t) function daunce_set_array(session, name, values) result(code)
    type(c_ptr), intent(in) :: session
    character(len=*), intent(in) :: name
    real(c_double), intent(in), contiguous :: values(:)
    code = c_set_array(session, c_text(name), size(values, kind=c_int64_t), values)
  end function

  integer(c_int32_t) function daunce_set_configuration(session, file, yaml) result(code)
    type(c_ptr), intent(in) :: session
    character(len=*), intent(in), optional :: file, yaml
    character(kind=c_char, len=:), allocatable, target :: path, text
    type(c_ptr) :: of_path, of_text
    of_path = c_null_ptr
    of_text = c_null_ptr
    if (present(file)) then
      path = c_text(file)
      of_path = c_loc(path)
    end if
    if (present(yaml)) then
      text = c_text(yaml)
      of_text = c_loc(text)
    end if
    code = c_set_configuration(session, of_path, of_text)
  end function

  integer(c_int32_t) function daunce_set(session, key, text) result(code)
    type(c_ptr), intent(in) :: session
    character(len=*), intent(in) :: key, text
    code = c_set(session, c_text(key), c_text(text))
  end function

  integer(c_int32_t) function daunce_set_method(session, method, agents) result(code)
    type(c_ptr), intent(in) :: session
    character(len=*), intent(in) :: method
    character(len=*), intent(in), optional :: agents
    character(kind=c_char, len=:), allocatable, target :: name, folder
    type(c_ptr) :: of_folder
    name = c_text(method)
    of_folder = c_null_ptr
    if (present(agents)) then
      folder = c_text(agents)
      of_folder = c_loc(folder)
    end if
    code = c_set_method(session, c_loc(name), of_folder)
  end function

  integer(c_int32_t) function daunce_set_initial(session, file) result(code)
    type(c_ptr), intent(in) :: session
    character(len=*), intent(in) :: file
    code = c_set_initial(session, c_text(file))
  end function

  integer(c_int32_t) function daunce_set_observations(session, file) result(code)
    type(c_ptr), intent(in) :: session
    character(len=*), intent(in) :: file
    code = c_set_observations(session, c_text(file))
  end function

  integer(c_int32_t) function daunce_initial_states(session, states) result(code)
    type(c_ptr), intent(in) :: session
    real(c_double), intent(inout), contiguous :: states(:, :)  ! (number, member)
    code = c_initial_states(session, states, size(states, 1, kind=c_int64_t))
  end function

  integer(c_int32_t) function daunce_observe(session, quantity, cells, values, deviations) result(code)
    type(c_ptr), intent(in) :: session
    character(len=*), intent(in) :: quantity
    integer(c_int64_t), intent(in), contiguous :: cells(:)
    real(c_double), intent(in), contiguous :: values(:), deviations(:)  ! as many as cells
    integer(c_int64_t) :: count
    count = merge(size(values), -1, size(cells) == size(values) .and. size(deviations) == size(values))
    code = c_observe(session, c_text(quantity), count, cells, values, deviations)
  end function

  integer(c_int32_t) function daunce_observe_places(session, quantity, places, values, deviations) result(code)
    type(c_ptr), intent(in) :: session
    character(len=*), intent(in) :: quantity
    real(c_double), intent(in), contiguous :: places(:, :)  ! (axis, place)
    real(c_double), intent(in), contiguous :: values(:), deviations(:)  ! as many as places
    integer(c_int64_t) :: count
    count = merge(size(values), -1, size(places, 2) == size(values) .and. size(deviations) == size(values))
    code = c_observe_places(session, c_text(quantity), count, places, values, deviations)
  end function

end module
