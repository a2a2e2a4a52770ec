"""What the rooms stand on: database, clock, doors, mail, words. Knows nothing of reviews."""
