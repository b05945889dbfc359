"""Jobs that run in managed containers: Glue for features, SageMaker processing for the evaluation."""
