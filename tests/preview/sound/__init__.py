"""The IAM diff on generated pairs: against the gateway's evaluator on sampled requests, and against an SMT model."""
