"""The tour: a model travels from data to production, on the real engine, with nobody's AWS account."""
