"""Rules as pure functions over plain values. Nothing here knows the engine, nor any project."""
