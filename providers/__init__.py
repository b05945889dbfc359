"""What runs in a dynamic provider's own process, which shares nothing with the program's."""
