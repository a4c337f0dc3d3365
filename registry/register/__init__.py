"""The register: models with their versions, datasets in versions, what was trained on what; for everybody to read."""
