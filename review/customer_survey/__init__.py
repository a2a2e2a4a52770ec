"""Customers, their tickets, the letters that ask them, and the page on which they answer."""
