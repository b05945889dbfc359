"""The probe: asks production as a caller does, where no shift's alarms look."""
