"""The supervisor's rating against the anchored rubric: the main basis."""
