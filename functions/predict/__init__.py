"""The predict function: API Gateway proxy request → SageMaker endpoint → predictions."""
