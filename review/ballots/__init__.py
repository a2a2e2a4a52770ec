"""Unsigned ballots and the cells counted from them. This room has never heard of seats, people or time."""
