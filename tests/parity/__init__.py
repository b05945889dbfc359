"""The gateway beside recorded answers of AWS: `make parity`."""
