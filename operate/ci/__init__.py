"""What the repository's CI needs beyond the commands that people call: a login without keys, and a comment."""
