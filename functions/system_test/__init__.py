"""The pipeline's system test of one environment: golden records and bad input through the real API.

`python -m functions.system_test --help`
"""
