"""The rehearsal's cloud: a gateway that speaks AWS's protocols on localhost, with moto as its store."""
