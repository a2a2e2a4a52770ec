"""Who: accounts, departments, reporting lines, roles, and the import that brings them in."""
