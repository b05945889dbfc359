"""Rights before and after, compared by what they allow, and told in words."""
