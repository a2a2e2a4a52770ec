"""By which rules: versioned schemes, the one that ships with the product, and the score command."""
