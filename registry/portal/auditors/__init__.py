"""Pages of auditors: what their scope lets them look into. Their evidence is at the command line until then."""
