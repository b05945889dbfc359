"""The real program under mocks: every stack in every shape."""
