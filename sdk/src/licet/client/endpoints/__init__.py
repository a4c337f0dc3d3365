"""Every endpoint once, as a pure description: what both clients ask, whoever waits for the answer."""
