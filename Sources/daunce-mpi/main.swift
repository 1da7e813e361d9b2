print("daunce-mpi")
