"""Agreements: licences that an artist is asked for and answers, what they owe at a close, how they end."""
