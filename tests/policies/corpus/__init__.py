"""Cases as data: what stands in a program, and what the pack says of it."""
