"""People and organisations: who they are, what their tokens allow, how well their claims are backed."""
