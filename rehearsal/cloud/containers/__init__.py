"""What runs in a container on AWS and in a child process here: training, analyzer, Spark's stand-in."""
