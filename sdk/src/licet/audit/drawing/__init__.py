"""Evidence drawn for people: a page of a bundle, and the monthly statement of an account, on screen and on paper."""
