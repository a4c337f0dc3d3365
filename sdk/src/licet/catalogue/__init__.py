"""An artist's side: pictures become registered works, and one signature says what may be done with them."""
