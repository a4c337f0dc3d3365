"""What a trainer agrees with artists: asked for, accepted, at prices that no click can fix."""
