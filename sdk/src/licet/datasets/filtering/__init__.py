"""The filter job: from opened inputs to kept rows, decisions and manifest, in steps that a killed job goes on from."""
