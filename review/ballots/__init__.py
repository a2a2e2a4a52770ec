"""Unsigned ballots and the cells counted from them. This room knows neither people nor times, of a seat only its id."""
