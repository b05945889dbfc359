"""New objects in the data bucket start the pipeline, with their exact version."""
