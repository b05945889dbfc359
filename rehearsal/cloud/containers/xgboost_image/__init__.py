"""What is installed in the built-in XGBoost image 3.2-0. Its `sitecustomize.py` is on the path of such a container."""
