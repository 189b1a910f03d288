"""What the report's page shows, one section a file: plain values for the template, no markup."""
