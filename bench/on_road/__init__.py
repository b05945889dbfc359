"""The road of `bench/road.py`: what is called, who calls it, and the cloud that it is in."""
