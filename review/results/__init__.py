"""From evidence to a signed result: scorecard, sign-off, publication, reward, acknowledgement."""
