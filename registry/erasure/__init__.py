"""Erasure: what an account was goes; the log's tree, evidence that others rely on and a bare deny stay."""
