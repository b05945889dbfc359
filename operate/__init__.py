"""What commands need to work on the environments, the rehearsal's and real accounts alike."""
