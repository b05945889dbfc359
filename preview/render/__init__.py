"""A report as Markdown, plain text or JSON. The same report gives the same bytes."""
