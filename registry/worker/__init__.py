"""The loops beside the requests: sequencer, maturing consents, snapshots, housekeeping."""
