"""The rules of a review, in plain Python: no clock, no database, no web."""
