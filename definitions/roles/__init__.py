"""Every role as a document: one module for each account or reason to have them."""
