"""What the program, the functions and the operator's commands all read. Imports nothing of the project."""
