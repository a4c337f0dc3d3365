"""From a question to a licence: verdicts of this moment, offers, licences with two signatures, what they owe."""
