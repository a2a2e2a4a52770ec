"""The diagnostics on plain data, for auditors: nothing here touches a database."""
