"""Everything that is held of an account, handed to it: a tar of JSON lines that can be taken up where it broke off."""
