"""Requests and answers as AWS writes them, and the checks of the service models."""
