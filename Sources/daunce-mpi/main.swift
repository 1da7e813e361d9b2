import DaunceProgram

Program.main()
