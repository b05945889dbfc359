"""What runs inside AWS: Lambda handlers, Glue and processing jobs, and the pipeline's system test."""
