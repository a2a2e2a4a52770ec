"""What follows from a low score or a complaint: case reviews (案例复盘), and customers who asked to be contacted."""
