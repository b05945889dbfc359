"""IAM's language: documents, conditions and the decision, on plain values."""
