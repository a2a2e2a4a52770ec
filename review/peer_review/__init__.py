"""Who may rate which colleague, and the page on which they do. It never learns what was said."""
