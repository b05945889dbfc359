"""Entry point of the plugin: prints the port, serves until told to stop."""

from rehearsal.provider.server import serve

if __name__ == "__main__":
    serve()
