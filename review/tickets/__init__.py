"""Maximum protection: blind tickets for raters, the slot for their ballots, and receipts of what was counted."""
