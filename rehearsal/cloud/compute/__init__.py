"""Jobs and the objects they read and write: what SageMaker, Glue and Step Functions share."""
