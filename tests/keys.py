"""The secret of administrators' keys in the tests' own gateway."""

import os

SECRET_KEY = os.urandom(20).hex()
