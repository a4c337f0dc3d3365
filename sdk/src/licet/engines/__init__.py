"""Where many workers decide: Ray, Spark, Hugging Face, webdataset and Arrow streams, all on one core.

Each takes ``client.snapshot.pin()``. ``annotate`` and ``filter`` decide rows inside a pipeline of your own;
``filter_dataset`` (Ray, Spark) is `licet filter` done by many: the same files, decisions, root and manifest. Nothing
here imports an engine before it is used.
"""
