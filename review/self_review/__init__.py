"""The reviewed person's own rating and statement: a reference that never counts."""
