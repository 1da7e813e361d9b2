! A program with an ensemble of its own: members spread over the ranks of MPI, carried forward by the tracer of
! docs/examples/models/fortran, and analysed by libdaunce at every observation time. Nothing goes through files but the
! initial states and the observations.
!
!   mpirun -np 3 ./ensemble METHOD FOLDER RESULT [AGENTS]
!
! FOLDER has initial.nc and observations.nc, as `daunce-mpi simulate` writes them. RESULT gets mean and spread of the analysis
! of every cycle, as the bytes of doubles. The same analyses come, to the bit, from
!
!   mpirun -np 3 daunce-mpi assimilate --method METHOD --initial FOLDER/initial.nc --observations FOLDER/observations.nc ...
!
! SPDX-License-Identifier: Apache-2.0
program ensemble
  use, intrinsic :: iso_c_binding
  use mpi
  use daunce
  use tracer, only: model, create_model => create, destroy_model => destroy, carry => forecast
  implicit none

  integer, parameter :: members = 10
  character(len=*), parameter :: parameters = "cells = 32"//new_line("a")//"gust = 0.5"//new_line("a")
  character(len=512) :: method, folder, result, agents
  type(c_ptr) :: session, handle
  type(model), pointer :: m
  real(c_double), allocatable :: states(:, :), mean(:), spread(:)
  real(c_double) :: from, to
  integer(c_int64_t) :: seed, size, first, cycle
  integer :: rank, ranks, held, k, code, unit

  call MPI_Init(code)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, code)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks, code)
  call get_command_argument(1, method)
  call get_command_argument(2, folder)
  call get_command_argument(3, result)
  call get_command_argument(4, agents)

  ! The model, and how many members this rank has: blocks whose sizes differ by one at most.
  if (create_model(parameters//c_null_char, handle) /= 0) call give_up("the model cannot be made")
  call c_f_pointer(handle, m)
  held = members / ranks + merge(1, 0, rank < mod(members, ranks))

  ! What the library has to know.
  call check(daunce_create(MPI_COMM_WORLD, session))
  call check(daunce_set_description(session, description(m)))
  call check(daunce_set_configuration(session, file="experiment.yaml"))
  if (agents == "") then
    call check(daunce_set_method(session, method))
  else
    call check(daunce_set_method(session, method, agents))
  end if
  call check(daunce_set_members(session, int(held, c_int64_t)))
  call check(daunce_set_initial(session, trim(folder)//"/initial.nc"))
  call check(daunce_set_observations(session, trim(folder)//"/observations.nc"))
  call check(daunce_start(session))
  call show_notes()

  size = daunce_state_size(session)
  first = daunce_first_member(session)
  allocate (states(size, held), mean(size), spread(size))
  call check(daunce_initial_states(session, states))
  if (rank == 0) open (newunit=unit, file=result, access="stream", form="unformatted", status="replace")

  do cycle = 1, daunce_last_observed(session)
    from = daunce_time(session)
    to = from + daunce_interval(session)

    ! The program's own forecast, with the noise that daunce-mpi would give the member.
    do k = 1, held
      call check(daunce_seed(session, first + k - 1, cycle, seed))
      if (carry(m, from, to, seed, states(:, k)) /= 0) call give_up("a forecast failed")
    end do

    ! The analysis, in place.
    call check(daunce_assimilate_block(session, to, int(held, c_int64_t), size, states, size))
    call show_notes()

    call check(daunce_moments(session, mean, spread))
    if (rank == 0) write (unit) mean, spread
  end do

  if (rank == 0) then
    close (unit)
    print '(a, i0, 3a)', "ensemble: ", daunce_last_observed(session), " analyses by ", trim(method), ", "//daunce_version()
  end if
  call check(daunce_destroy(session))
  call destroy_model(handle)
  call MPI_Finalize(code)

contains

  ! What the model says of itself as a plugin is what the library has to know of its states.
  function description(m) result(text)
    type(model), intent(in) :: m
    character(len=:), allocatable :: text
    text = transfer(m%text, repeat(" ", 512))
    text = text(:index(text, c_null_char) - 1)
  end function

  ! Ends the program on an error of the library's, which all ranks have alike.
  subroutine check(code)
    integer(c_int32_t), intent(in) :: code
    if (code /= DAUNCE_OK) call give_up(daunce_error(session))
  end subroutine

  subroutine give_up(reason)
    character(len=*), intent(in) :: reason
    integer :: code
    if (rank == 0) print '(2a)', "ensemble: ", reason
    call MPI_Barrier(MPI_COMM_WORLD, code)
    call MPI_Abort(MPI_COMM_WORLD, 1, code)
  end subroutine

  subroutine show_notes()
    character(len=:), allocatable :: notes
    notes = daunce_notes(session)
    if (rank == 0 .and. notes /= "") print '(2a)', "ensemble: ", notes
  end subroutine

end program
