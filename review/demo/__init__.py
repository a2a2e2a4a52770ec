"""A company to try everything with: it lives by calling the same services as everybody else, never by writing rows."""
