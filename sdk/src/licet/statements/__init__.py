"""What is said and signed: payload kinds, envelopes, keys, the effect of new terms, receipts."""
