"""The documentation: pages generated from the code, laid beside the written ones, and built with every link checked."""
