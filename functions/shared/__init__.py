"""Code that several functions carry with them. Standard library only, so that every Lambda starts fast."""
