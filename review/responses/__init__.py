"""Signed answers: self-reviews, supervisor ratings, customers' answers, with who gave them."""
