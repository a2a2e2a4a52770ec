"""What ticket systems recorded: customers, their tickets (工单), and the files these came in."""
