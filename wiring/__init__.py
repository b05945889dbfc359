"""From settings to the arguments of components: the one place that knows both."""
