"""The main job, end to end, on real pictures: what ``make demo`` plays."""
