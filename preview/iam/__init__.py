"""Rights before and after, compared by what they allow, and put in words."""
