"""Features: one SQL file, its schema, and the Glue job that runs it."""
