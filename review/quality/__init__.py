"""Quality spot checks (质检): forms, drawn samples, checks, disputes, calibration; what they say of compliance."""
