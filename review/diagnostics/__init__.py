"""How far published results can be trusted, and what other rules would have made of them. Changes no number, ever."""
