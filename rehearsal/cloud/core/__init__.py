"""What every service stands on: the cloud, its clock, accounts, ledger, faults and registrations."""
